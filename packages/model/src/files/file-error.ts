import { ModelError } from '../errors.js';
import { oneLine } from './one-line.js';

/** A model's files cannot be used, or a folder not be written; one line that names the file and says what to do. */
export class ModelFileError extends ModelError {
  override readonly name = 'ModelFileError';
  constructor(message: string, layer?: string, options?: ErrorOptions) {
    // Names and values in it come from strangers' files.
    super(oneLine(message), layer, options);
  }
}
