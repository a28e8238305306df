export { type ExampleInput, type ExampleOptions, exampleInputs } from './example-inputs.js';
export { type ExportOptions, exportOnnx } from './export-onnx.js';
