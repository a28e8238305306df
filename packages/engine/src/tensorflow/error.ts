/** What stands between here and a running TensorFlow. */
export type TensorflowErrorCode =
  | 'not-installed'
  | 'platform'
  | 'no-npm'
  | 'no-pip'
  | 'no-compiler'
  | 'no-wheel'
  | 'wrong-abi'
  | 'bad-wheel'
  | 'disk'
  | 'download'
  | 'compile'
  | 'load'
  | 'interrupted';

/** Installing or loading TensorFlow failed; the message is one line that says what is missing and how to get it. */
export class TensorflowError extends Error {
  override readonly name = 'TensorflowError';

  constructor(
    readonly code: TensorflowErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message.replaceAll(/\s*\n\s*/g, ' '), options);
  }
}
