import * as tf from '@tensorflow/tfjs';

/** tfjs-node's addon, as far as it is used here. Its `TF_…` constants are read by name. */
export interface Binding {
  executeOp(op: string, attrs: OpAttr[], inputs: number[], outputs: number): OutputInfo[];
  createTensor(shape: number[], dtype: number, values: ArrayBufferView | Uint8Array[]): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): ArrayBufferView;
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(session: number): void;
  /** Names are joined with commas. */
  runSavedModel(session: number, inputs: number[], inputNames: string, outputNames: string): OutputInfo[];
  readonly [attrTypeOrDtype: `TF_${string}`]: number;
}

export interface OpAttr {
  name: string;
  /** One of the binding's TF_ATTR_… constants. */
  type: number;
  value: unknown;
}

export interface OutputInfo {
  id: number;
  shape: number[];
  /** TensorFlow's number of it. */
  dtype: number;
}

/** The backend of tfjs-node, as far as it is used here. */
export interface NodeBackend {
  binding: Binding;
  isUsingGpuDevice: boolean;
  tensorMap: {
    get(dataId: object): { id: number; shape: number[]; dtype: number; values: unknown };
  };
  getInputTensorIds(tensors: tf.Tensor[]): number[];
  createOutputTensor(info: OutputInfo): tf.Tensor;
  executeSingleOutput(op: string, attrs: OpAttr[], inputs: tf.TensorInfo[]): tf.Tensor;
  executeMultipleOutputs(op: string, attrs: OpAttr[], inputs: tf.TensorInfo[], outputs: number): tf.Tensor[];
  readSync(dataId: object): unknown;
  read(dataId: object): Promise<unknown>;
  write(values: unknown, shape: number[], dtype: tf.DataType): object;
}

/** tfjs-node's backend if it is tfjs's current one. */
export function currentNodeBackend(): NodeBackend | undefined {
  return tf.getBackend() === 'tensorflow' ? (tf.backend() as unknown as NodeBackend) : undefined;
}

/** TensorFlow's dtype of a tensor, as the attribute `name` of an op. */
export function dtypeAttr({ binding }: NodeBackend, name: string, dtype: tf.DataType): OpAttr {
  const constants: Partial<Record<tf.DataType, number>> = {
    float32: binding.TF_FLOAT,
    int32: binding.TF_INT32,
    bool: binding.TF_BOOL,
    complex64: binding.TF_COMPLEX64,
  };
  return { name, type: binding.TF_ATTR_TYPE, value: constants[dtype] };
}
