/** A model, or a file of one, that cannot be used: one line that names the layer or file, what is wrong and what to do. */
export class ModelError extends Error {
  override readonly name: string = 'ModelError';
  constructor(
    message: string,
    /** The layer at fault, where it is one layer's fault. */
    readonly layer?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
