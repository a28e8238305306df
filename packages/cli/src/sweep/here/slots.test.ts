import { describe, expect, it } from 'vitest';
import { type Machine, slotsOf } from './slots.js';

const machine = (cores: number, gpus: string[] = []): Machine => ({
  cores: Array.from({ length: cores }, (_, i) => 2 + i),
  gpus,
  canPin: true,
});
const sweep = (cores: number, gpus?: number) => ({ file: 'sweep.json', cores, gpus });
const wasm = [{ onTensorflow: false }];
const tensorflow = [{ onTensorflow: true }];

describe('a machine is cut into', () => {
  it('as many slots as its cores allow, each with cores of its own', () => {
    const slots = slotsOf(machine(5), sweep(2), wasm);
    expect(slots.map(({ pin }) => pin.join(' '))).toEqual(['taskset -c 2,3', 'taskset -c 4,5']);
    expect(slots[0]!.env).toMatchObject({ OMP_NUM_THREADS: '2', TF_NUM_INTRAOP_THREADS: '2' });
  });

  it('one slot where runs take all cores, with nothing pinned', () => {
    expect(slotsOf(machine(3), sweep(0), wasm)).toEqual([{ pin: [], env: {} }]);
  });

  it('as many as there are GPUs, each seen by one run, where TensorFlow may compute', () => {
    const slots = slotsOf(machine(8, ['0', '1', '3']), sweep(2), tensorflow);
    expect(slots.map(({ env }) => env.CUDA_VISIBLE_DEVICES)).toEqual(['0', '1', '3']);
    expect(slots.map(({ pin }) => pin[2])).toEqual(['2,3', '4,5', '6,7']);
    expect(
      slotsOf(machine(8, ['0', '1', '2', '3']), sweep(1, 2), tensorflow).map(
        ({ env }) => env.CUDA_VISIBLE_DEVICES,
      ),
    ).toEqual(['0,1', '2,3']);
  });

  it('slots that see no GPU, where none is asked for', () => {
    const slots = slotsOf(machine(2, ['0']), sweep(1), wasm);
    expect(slots.map(({ env }) => env.CUDA_VISIBLE_DEVICES)).toEqual(['', '']);
  });

  it('nothing where a run asks for more than there is', () => {
    expect(() => slotsOf(machine(2), sweep(4), wasm)).toThrow(/cores is 4, and this machine has 2 to give/);
    expect(() => slotsOf(machine(2), sweep(1, 1), wasm)).toThrow(
      /gpus is 1, and this machine has none to give/,
    );
  });
});
