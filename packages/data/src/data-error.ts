/**
 * Something is wrong with data: a file that is not what it should be, a download that failed, or arguments
 * that do not fit a dataset. The message is one line: where, what was expected, what was found, what to do.
 */
export class DataError extends Error {
  override name = 'DataError';

  constructor(
    message: string,
    /** The file or folder at fault, where there is one. */
    readonly file?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
