import type { LayerUse } from './entry.js';

/**
 * How 'same' is to be said of a window on 3D images. tfjs takes places off where strides are larger than the window, and ends up beside it: there no padding is the same, or zeros of one's
 * own, before and after along each axis.
 *
 * @param window sizes of the window, its dilation counted
 */
export function samePadding3d(
  use: LayerUse,
  sizes: readonly (number | null)[],
  window: readonly number[],
  strides: readonly number[],
): 'same' | 'valid' | number[][] {
  if (strides.every((stride, i) => stride <= window[i]!)) return 'same';
  const missing = sizes.map((size, i) => {
    if (size === null) return use.fail('its strides are larger than its window, on images of open size');
    const [stride, width] = [strides[i]!, window[i]!];
    return (Math.ceil(size / stride) - 1) * stride + width - size;
  });
  if (missing.every((count) => count >= 0)) return 'same';
  if (missing.every((count) => count <= 0)) return 'valid';
  return missing.map((count) => {
    const total = Math.max(count, 0);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
}
