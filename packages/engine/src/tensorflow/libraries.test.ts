import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { checkLibrary, checkMachine, checkWheelName, type Machine, thisMachine } from './libraries.js';

const linux: Machine = { platform: 'linux', arch: 'x64', glibc: '2.36' };
const arm: Machine = { platform: 'linux', arch: 'arm64', glibc: '2.27' };
const mac: Machine = { platform: 'darwin', arch: 'arm64' };

describe('wheels and machines', () => {
  it.each([
    ['tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl', [linux]],
    ['tensorflow-2.21.0-cp312-cp312-manylinux_2_27_aarch64.whl', [arm]],
    ['tensorflow-2.21.0-cp312-cp312-manylinux_2_28_aarch64.whl', []],
    ['tensorflow-2.9.0-cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64.whl', [linux]],
    ['tensorflow-2.9.0-cp39-cp39-linux_aarch64.whl', [arm]],
    ['tensorflow-2.21.0-cp312-cp312-macosx_12_0_arm64.whl', [mac]],
    ['tensorflow-2.21.0-cp312-cp312-win_amd64.whl', []],
    ['tensorflow-3.0.0-cp312-cp312-manylinux_3_0_x86_64.whl', []],
    ['jax-0.4.30-py3-none-any.whl', []],
    ['tensorflow.whl', []],
  ])('%s runs on the right ones', (file, fitting) => {
    for (const machine of [linux, arm, mac]) {
      const check = () => checkWheelName(`/some/where/${file}`, machine);
      if (fitting.includes(machine)) expect(check).not.toThrow();
      else expect(check).toThrow(expect.objectContaining({ code: 'wrong-abi' }));
    }
  });

  it('tells musl, old systems and Windows from where TensorFlow runs', () => {
    expect(() => checkMachine({ platform: 'linux', arch: 'x64' })).toThrow(/Linux x64 with musl/);
    expect(() => checkMachine({ platform: 'win32', arch: 'x64' })).toThrow(/win32 x64/);
    expect(() => checkMachine({ platform: 'darwin', arch: 'x64' })).toThrow(/darwin x64/);
    for (const machine of [linux, arm, mac]) expect(() => checkMachine(machine)).not.toThrow();
  });

  it.runIf(process.platform === 'linux')('knows this machine, and for which one a library is', async () => {
    const machine = thisMachine();
    expect(machine.glibc ?? 'musl').toMatch(/^(2\.\d+|musl)$/);
    const node = (await readFile(process.execPath)).subarray(0, 64);
    expect(() => checkLibrary(node, 'node', machine)).not.toThrow();
    const other = machine.arch === 'x64' ? 'arm64' : 'x64';
    expect(() => checkLibrary(node, 'node', { ...machine, arch: other })).toThrow(
      `node are for ${machine.arch}, this is linux ${other}`,
    );
    expect(() => checkLibrary(Buffer.from('MZ'), 'a.dll', machine)).toThrow(/another system/);
  });
});
