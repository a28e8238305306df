import { ModelError } from '../errors.js';
import type { ModelFile } from '../files/model-file.js';

export { toTfjs } from './to-tfjs.js';

export async function readKerasArchive(_bytes: Uint8Array, _origin: string): Promise<ModelFile> {
  throw new ModelError('.keras files are not read yet');
}

export async function readHdf5(_bytes: Uint8Array, _origin: string): Promise<ModelFile> {
  throw new ModelError('.h5 files are not read yet');
}
