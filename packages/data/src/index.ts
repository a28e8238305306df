export { type Batch, batchArrays } from './batch/batch.js';
export { type BatchesAhead, type BatchPlan, batchesAhead } from './batch/batches-ahead.js';
export { batchesOf } from './batch/batches-of.js';
export { evenPart, shuffledIndices } from './batch/order.js';
export { readBatch, takesTime } from './batch/read-batch.js';
export { DataError } from './data-error.js';
export { type ClassTarget, classTarget, randomLabels } from './dataset/class-target.js';
export { createDataset, type DatasetParts, labelledImages, prepared } from './dataset/create-dataset.js';
export type {
  Augmentation,
  Dataset,
  Field,
  Input,
  Normalization,
  Numbers,
  NumbersFile,
  NumbersType,
  Target,
} from './dataset/dataset.js';
export { lengthOf } from './dataset/dataset.js';
export { subset } from './dataset/subset.js';
export { type OpenedData, openData } from './open/open-data.js';
export type { DataOptions, InputSpec, OutputSpec } from './open/options.js';
export type { DataModule } from './open/sources/module/module.js';
export type { Draw } from './prepare/draw.js';
export { type NormalizeName, normalizeNames } from './prepare/normalization.js';
export { type Cifar10Progress, loadCifar10 } from './sets/cifar10.js';
export { loadIdx } from './sets/idx.js';
export { loadMnist } from './sets/mnist.js';
