export type EngineName = 'tensorflow' | 'wasm' | 'webgpu' | 'cpu';

/** An engine asked for by name cannot be had here; the message is one line that says why and what to do. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: 'not-installed' | 'failed';

  constructor(
    /** What was asked for. */
    readonly engine: string,
    message: string,
    options: ErrorOptions & { code?: 'not-installed' | 'failed' } = {},
  ) {
    super(message.replaceAll(/\s*\n\s*/g, ' '), options);
    this.code = options.code ?? 'failed';
  }
}
