/** Why a function can't become a graph; `message` says it in one line. */
export type CompileErrorCode =
  /** It reads a tensor's numbers in JavaScript: `dataSync()`, `data()`, `array()`, `print()`. */
  | 'read-back'
  /** It uses a tensor made outside of it that is not an argument. */
  | 'captured'
  /** It assigns to a variable made outside of it. */
  | 'assign'
  /** It does something else when it is called again: random numbers, a counter, a number that changes outside. */
  | 'differs'
  /** The shape of a result depends on numbers in tensors, as with `tf.unique`. */
  | 'dynamic-shape'
  /** TensorFlow draws random numbers in it, as with `tf.multinomial`. */
  | 'random'
  /** It is async, or returns something other than tensors in arrays and plain objects. */
  | 'result'
  /** It was called with something other than tensors in arrays and plain objects. */
  | 'argument'
  /** The next state is not shaped like the state. */
  | 'state'
  /** Tensors of strings. */
  | 'string'
  /** It was called after `dispose()`. */
  | 'disposed'
  /** TensorFlow refuses the graph, or fails to run it where the function itself runs. */
  | 'graph';

/** A function given to `compile` can't become a graph, or a compiled one was misused. */
export class CompileError extends Error {
  override readonly name = 'CompileError';
  /** TensorFlow's name of the operation at fault, such as 'MatMul', where there is one. */
  readonly op?: string | undefined;
  /** Where it was called, as `file:line:column`: the innermost line outside of tfjs. */
  readonly line?: string | undefined;

  constructor(
    readonly code: CompileErrorCode,
    message: string,
    { op, line, cause }: { op?: string | undefined; line?: string | undefined; cause?: unknown } = {},
  ) {
    super(`compile: ${message.replaceAll(/\s*\n\s*/g, ' ')}`, cause === undefined ? undefined : { cause });
    this.op = op;
    this.line = line;
  }
}
