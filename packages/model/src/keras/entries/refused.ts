const inJavaScript = 'do that step in JavaScript, before the model, and save the model without it';
const attention = 'attention cannot be said in tfjs; save the part of the model before or after it';

/** Keras's layers that cannot be read, and what to do instead. */
export const refused: Readonly<Record<string, string>> = {
  Lambda:
    'its Python code cannot be read; use Rescaling, Reshape, Activation or operations of keras.ops instead',
  MultiHeadAttention: attention,
  Attention: attention,
  AdditiveAttention: attention,
  GroupQueryAttention: attention,
  GroupedQueryAttention: attention,
  ReversibleEmbedding: 'use Embedding and Dense',
  ConvLSTM1D: 'use ConvLSTM2D on images of one row',
  ConvLSTM3D: 'tfjs has ConvLSTM2D only',
  LocallyConnected1D: 'Keras has dropped it, and tfjs never had it',
  LocallyConnected2D: 'Keras has dropped it, and tfjs never had it',
  TFSMLayer: 'it holds a SavedModel, not layers; save the Keras model itself',
  TensorFlowOpLayer: 'it is an operation of an old TensorFlow; save the model with TensorFlow 2.4 or later',
  FlaxLayer: 'its code cannot be read; use layers of Keras',
  JaxLayer: 'its code cannot be read; use layers of Keras',
  TorchModuleWrapper: 'its code cannot be read; use layers of Keras',
  Discretization: inJavaScript,
  Hashing: inJavaScript,
  HashedCrossing: inJavaScript,
  CategoryEncoding: inJavaScript,
  IntegerLookup: inJavaScript,
  StringLookup: inJavaScript,
  TextVectorization: inJavaScript,
  MelSpectrogram: inJavaScript,
  STFTSpectrogram: inJavaScript,
  AutoContrast: inJavaScript,
  Equalization: inJavaScript,
  ContrastLimitedAdaptiveHistogramEqualization: inJavaScript,
  Solarization: inJavaScript,
  MaxNumBoundingBoxes: inJavaScript,
  FeatureSpace: inJavaScript,
  Pipeline: inJavaScript,
};
