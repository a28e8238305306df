export { groupMacs } from './kl-weight.js';
export { type LogNormalDropoutConfig, logNormalDropout } from './log-normal-dropout.js';
export { layerMacs } from './macs.js';
export { leNet5, leNetFc, type NetOptions, vggLike } from './nets.js';
export {
  multiplierAt,
  Noise,
  type NoiseConfig,
  NoiseConfigError,
  type NoiseValues,
  noiseOf,
  noisesOf,
  parameterRange,
  withThetas,
} from './noise.js';
export { type Conv2dConfig, type NoisyConv2dConfig, noisyConv2d } from './noisy-conv2d.js';
export { type DenseConfig, type NoisyDenseConfig, noisyDense } from './noisy-dense.js';
export { withWeights } from './substitute.js';
export { klDivergence, type NoiseForm, sampleLogTheta } from './truncated-log-normal.js';
