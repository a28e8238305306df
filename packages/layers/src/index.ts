import { rememberHolders } from './graph/holders.js';
import { refuseNoiseInWrappers } from './graph/wrapped.js';

export { type Draws, withDraws } from './draws.js';
export { layersWithin } from './graph/within.js';
export { groupCounts } from './group-counts.js';
export { GroupLasso, type GroupLassoConfig, groupLasso, groupLassoOf, groupNorms } from './group-lasso.js';
export { groupMacs } from './kl-weight.js';
export { type LogNormalDropoutConfig, logNormalDropout } from './log-normal-dropout.js';
export { leNet5, leNetFc, type NetLassoConfig, type NetOptions, vggDropout, vggLike } from './nets.js';
export {
  multiplierAt,
  Noise,
  type NoiseConfig,
  type NoiseValues,
  noiseOf,
  noisesOf,
  parameterRange,
  withThetas,
} from './noise.js';
export { type Conv2dConfig, type NoisyConv2dConfig, noisyConv2d } from './noisy-conv2d.js';
export { type DenseConfig, type NoisyDenseConfig, noisyDense } from './noisy-dense.js';
export { type SeededDropoutConfig, seededDropout, withDropout } from './seeded-dropout.js';
export {
  type SparseVdConv2dConfig,
  type SparseVdDenseConfig,
  sparseVdConv2d,
  sparseVdDense,
  variationalWeightsOf,
} from './sparse-vd.js';
export { withWeights } from './substitute.js';
export { klDivergence, type NoiseForm, noiseTerms, sampleLogTheta } from './truncated-log-normal.js';
export { type GroupCount, NoiseConfigError, Variational, variationalsOf } from './variational.js';
export { sparseVdKl, VariationalWeights, type VdConfig } from './variational-weights.js';

rememberHolders();
refuseNoiseInWrappers();
