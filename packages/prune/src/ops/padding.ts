import type { Shape } from './op.js';
import type { Config } from './stock.js';

/** A window's settings, and the image that it slides over. */
export interface Spatial {
  readonly config: Config;
  readonly image: Shape;
  /** How often it fits along each axis. */
  readonly steps: Shape;
}

/** Whether a convolution reads any zeros beyond its input's edge. */
export function isPadded({ config, image, steps }: Spatial): boolean {
  if (config.padding === 'valid') return false;
  const along = (key: string, axis: number) => {
    const value = config[key] as number | number[] | undefined | null;
    return (Array.isArray(value) ? value[axis] : value) ?? 1;
  };
  return steps.some((count, axis) => {
    const reach = (along('kernelSize', axis) - 1) * along('dilationRate', axis) + 1;
    if (config.padding === 'causal') return reach > 1;
    return (count - 1) * along('strides', axis) + reach > image[axis]!;
  });
}
