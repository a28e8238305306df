export { fillBatch, shuffledIndices } from './batches.js';
export { type Cifar10Progress, loadCifar10 } from './cifar10.js';
export { DataError } from './data-error.js';
export { createDataset, type Dataset, randomLabels, subset } from './dataset.js';
export { loadIdx } from './idx.js';
export { loadMnist } from './mnist.js';
