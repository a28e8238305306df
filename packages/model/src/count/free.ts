import type { MacsTable } from './layer-use.js';

/**
 * Layers without a multiply-accumulate by plain counting: what they multiply they do number by number (activations, normalisation, noise, joins),
 * or they only sum, compare, look up and move.
 */
const names = [
  ...['InputLayer', 'Activation', 'ReLU', 'LeakyReLU', 'PReLU', 'ELU', 'ThresholdedReLU', 'Softmax'],
  ...['Dropout', 'SpatialDropout1D', 'GaussianNoise', 'GaussianDropout', 'AlphaDropout'],
  ...['BatchNormalization', 'LayerNormalization', 'Masking', 'Embedding'],
  ...['Add', 'Multiply', 'Average', 'Maximum', 'Minimum', 'Concatenate'],
  ...['Flatten', 'RepeatVector', 'Reshape', 'Permute', 'Cropping2D', 'UpSampling2D', 'ZeroPadding2D'],
  ...[
    'MaxPooling1D',
    'MaxPooling2D',
    'MaxPooling3D',
    'AveragePooling1D',
    'AveragePooling2D',
    'AveragePooling3D',
  ],
  ...['GlobalMaxPooling1D', 'GlobalMaxPooling2D', 'GlobalAveragePooling1D', 'GlobalAveragePooling2D'],
  ...['Rescaling', 'CenterCrop', 'CategoryEncoding', 'Resizing', 'RandomWidth'],
  // of ours, in ../layers
  ...[
    'GeneralReLU',
    'GeneralELU',
    'SpatialDropout2D',
    'SpatialDropout3D',
    'StopMask',
    'FullMask',
    'ZeroMasked',
    'JoinMasks',
  ],
  ...['Normalization', 'GroupNormalization', 'RMSNormalization', 'UnitNormalization', 'LayerScale'],
  ...['GeneralBatchNormalization', 'GeneralLayerNormalization'],
  ...['Subtract', 'Divide', 'Clip', 'Power', 'Reduce', 'Slice'],
  ...['ZeroPadding1D', 'ZeroPadding3D', 'Cropping1D', 'Cropping3D', 'GeneralCropping2D'],
  ...['UpSampling1D', 'UpSampling3D', 'GeneralUpSampling2D', 'GeneralResizing'],
  ...['GlobalAveragePooling3D', 'GlobalMaxPooling3D', 'MaskedGlobalAveragePooling1D'],
];

export const free: MacsTable = Object.fromEntries(names.map((name) => [name, 'free']));
