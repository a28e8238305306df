export interface InstallProgress {
  step: 'plan' | 'package' | 'download' | 'unpack' | 'compile' | 'verify' | 'done';
  /** One line for people. */
  message: string;
  /** Bytes so far and in all, in the steps that move bytes. */
  done?: number;
  total?: number;
}

export interface InstallOptions {
  /** For `@tensorflow/tfjs-node-gpu`, with the CUDA libraries that TensorFlow's wheel asks for; default: false. */
  gpu?: boolean;
  /** A TensorFlow wheel, or the folder of an installed TensorFlow; default: the wheel that pip chooses. */
  from?: string;
  /** The project whose own tfjs-node package is given its addon, if it has one; default: the current folder. */
  projectDir?: string;
  onProgress?: (progress: InstallProgress) => void;
  signal?: AbortSignal;
}
