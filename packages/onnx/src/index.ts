export { type ExportOptions, exportOnnx } from './export-onnx.js';
