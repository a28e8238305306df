/**
 * What the surgery and the exporter may refuse, each with the reason why. Everything else that is thrown is a failure, and so is a refusal without the layer's
 * name. The fuzzer counts these; their share has to be small.
 */
export const refusals: readonly { readonly reason: string; readonly message: RegExp }[] = [
  { reason: 'nothing in the model can go', message: /^model '\w+' has no groups that can go( there)?$/ },
  {
    reason: 'ConvLSTM2D has no word in ONNX',
    message: /^layer '[\w/#]+' \(ConvLSTM2D\) is not a layer that exportOnnx knows/,
  },
];

/** The reason on the list that stands behind an error, or nothing where it is none that may be thrown. */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !/^(PruneError|ModelError|OnnxError)$/.test(error.name)) return undefined;
  if (
    !/(layer|input|model) '/.test(error.message) ||
    error.message.length > 400 ||
    error.message.includes('\n')
  )
    return undefined;
  return refusals.find(({ message }) => message.test(error.message))?.reason;
}
