import { philox } from '@sbp/math';

/** Numbers drawn one after the other from a seed; streams of one seed are independent. */
export interface Draws {
  /** In (0, 1). */
  uniform(): number;
  /** Of mean 0 and deviation 1. */
  normal(): number;
  /** A whole number from 0 to `size` − 1. */
  below(size: number): number;
}

const BLOCK = 4096;

export function draws(seed: number, stream: number): Draws {
  const source = philox(seed, stream);
  const block = new Float32Array(BLOCK);
  let taken = 0;
  const uniform = () => {
    if (taken % BLOCK === 0) source.uniforms(taken / BLOCK, block);
    return block[taken++ % BLOCK] as number;
  };
  return {
    uniform,
    // Box and Muller
    normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
    below: (size) => Math.floor(size * uniform()),
  };
}
