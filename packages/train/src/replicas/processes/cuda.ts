import { TrainError } from '../../errors.js';

/**
 * The CUDA device of each replica, for its CUDA_VISIBLE_DEVICES: those that are visible here, in their order.
 *
 * @param visible CUDA_VISIBLE_DEVICES of this process; without it devices are counted from 0
 * @throws TrainError if there are fewer than replicas
 */
export function cudaDevices(replicas: number, visible: string | undefined): string[] {
  if (visible === undefined) return Array.from({ length: replicas }, (_, i) => String(i));
  const devices = visible.split(',').map((device) => device.trim());
  if (devices.length < replicas)
    throw new TrainError(
      `replicas: ${replicas}, but CUDA_VISIBLE_DEVICES=${visible} names ${devices.length}; each replica takes a GPU of its own: lower replicas, or make more visible.`,
    );
  return devices.slice(0, replicas);
}
