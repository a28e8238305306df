import { availableParallelism, cpus } from 'node:os';
import * as tf from '@tensorflow/tfjs';

/** The machine and the versions that a result was measured with, to be committed beside it. */
export interface Environment {
  node: string;
  /** Operating system and architecture, such as 'linux x64'. */
  platform: string;
  cpu: string;
  /** Cores that this process may use. */
  cores: number;
  tfjs: string;
  /** The current tfjs backend. */
  engine: string;
}

export function environment(): Environment {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    tfjs: tf.version.tfjs,
    engine: tf.getBackend(),
  };
}
