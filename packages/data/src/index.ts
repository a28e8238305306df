export { evenPart, fillBatch, shuffledIndices } from './batches.js';
export { type BatchesAhead, type BatchPlan, batchesAhead } from './batches-ahead.js';
export { type Cifar10Progress, loadCifar10 } from './cifar10.js';
export { DataError } from './data-error.js';
export { createDataset, type Dataset, type Preparation, randomLabels, subset } from './dataset.js';
export { loadIdx } from './idx.js';
export { loadMnist } from './mnist.js';
export type { Draw } from './prepare.js';
