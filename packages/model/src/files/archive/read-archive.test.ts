import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../../testing/saved.js';

const folder = scratchFolder();
const testdata = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../testdata/${name}`, import.meta.url)));
const index = new URL('../../../dist/index.js', import.meta.url).href;

/** Opens a file as programs do, with what has been built: threads know no TypeScript. */
function open(name: string, content: Uint8Array) {
  const file = join(folder, name);
  writeFileSync(file, content);
  const program = `
    import { loadModel } from '${index}';
    import * as tf from '@tensorflow/tfjs';
    console.warn = () => {};
    const began = performance.now();
    try {
      console.log((await loadModel(${JSON.stringify(file)})).inputs.length, 'inputs');
    } catch (error) {
      console.log(error.name, error.message);
    }
    console.log(performance.now() - began < 20_000 ? 'in time' : 'late');`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    encoding: 'utf8',
    timeout: 60_000,
  });
  return stdout;
}

describe('readArchive', () => {
  it('reads Keras files in a thread of their own', () => {
    expect(open('model.keras', testdata('small/keras3-branches/model.keras'))).toBe('1 inputs\nin time\n');
    expect(open('model.h5', testdata('small/keras2-cells/model.h5'))).toBe('1 inputs\nin time\n');
  });

  it('ends where the library that reads HDF5 never would', () => {
    // small/keras2-branches with four of its bytes changed.
    const damaged = gunzipSync(testdata('endless.h5.gz'));
    expect(open('endless.h5', damaged)).toMatch(
      /^ModelFileError \S+endless\.h5 is a damaged HDF5 file; save the model again\nin time\n$/,
    );
  });
});
