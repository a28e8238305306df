// Layers and activations of Keras that tfjs lacks, or has without all their settings. Importing them registers them with tfjs, so that files with them load.
import './arithmetic.js';
import './borders.js';
import './general/activations.js';
import './general/convolutions.js';
import './general/gru.js';
import './general/normalization.js';
import './masks.js';
import './normalization.js';
import './pooling.js';
import './resizing.js';
import './separable-conv2d.js';
import './spatial-dropout.js';

export { activations } from './activations.js';
