export { readHdf5 } from './files/read-hdf5.js';
export { readKerasArchive } from './files/read-keras-archive.js';
export { toTfjs } from './to-tfjs.js';
