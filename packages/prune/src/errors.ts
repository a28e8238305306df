import { ModelError } from '@sbp/model';

/** What {@link pruneModel}, {@link foldNoise} and {@link withNoise} throw; the message names the layer and what to do. */
export class PruneError extends ModelError {
  override readonly name = 'PruneError';
}
