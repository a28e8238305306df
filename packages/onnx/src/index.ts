export { exportOnnx } from './export-onnx.js';
