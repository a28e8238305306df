/** What {@link pruneModel}, {@link foldNoise}, {@link countFlops} and {@link exportOnnx} throw; the message names the layer and what to do. */
export class PruneError extends Error {
  override readonly name = 'PruneError';
  constructor(
    message: string,
    /** The layer at fault, where it is one layer's fault. */
    readonly layer?: string,
  ) {
    super(message);
  }
}
