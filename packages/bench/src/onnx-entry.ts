/** An ONNX model, as a file's bytes or path. */
export interface OnnxEntry {
  name: string;
  onnx: Uint8Array | string;
}
