import { describe, expect, it } from 'vitest';
import { formatOf, modelIn } from './formats.js';

const bytes = (...parts: (string | number)[]) =>
  Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'number' ? [part] : [...part].map((c) => c.charCodeAt(0)))),
  );

describe('formatOf', () => {
  it('goes by how a file begins', () => {
    expect(formatOf(bytes('{"format"'), 'net', 'net')).toBe('json');
    expect(formatOf(bytes(0x89, 'HDF\r\n', 0x1a, '\n'), 'model.json', 'm')).toBe('hdf5');
    expect(formatOf(bytes('PK', 3, 4), 'x.zip', 'x')).toBe('keras');
    expect(formatOf(bytes(), 'empty.json', 'empty.json')).toBe('json');
  });

  it.each([
    [
      'saved_model.pb',
      bytes(),
      /is a TensorFlow SavedModel, .*; load it in Keras, call model\.save\('model\.keras'\) and give that file/,
    ],
    ['frozen.pb', bytes(), /is a frozen TensorFlow graph, which has no layers; take the Keras model/],
    ['a.tflite', bytes(), /is a TensorFlow Lite model/],
    ['a.bin', bytes(0x1c, 0, 0, 0, 'TFL3'), /is a TensorFlow Lite model/],
    ['a.onnx', bytes(8), /is an ONNX file, which has no layers/],
    ['model.ckpt.index', bytes(), /is weights only, a TensorFlow checkpoint/],
    ['variables.data-00000-of-00001', bytes(), /is weights only, a TensorFlow checkpoint/],
    [
      'm.weights.h5',
      bytes(0x89, 'HDF'),
      /is weights only, without the model's layers; save the whole model in Keras/,
    ],
    ['net.pt', bytes('PK', 3, 4), /is a PyTorch file/],
    ['m.keras', bytes('{'), /is no Keras archive, though its name says so/],
    ['m.h5', bytes('PNG'), /is no HDF5 file, though its name says so/],
  ])('names %s and the next step', (name, head, line) => {
    expect(() => formatOf(head, name, name)).toThrow(line);
  });
});

describe('modelIn', () => {
  it('prefers model.json, then the one Keras file', () => {
    expect(modelIn(['a.keras', 'model.json', 'w.bin'], 'f')).toBe('model.json');
    expect(modelIn(['a.keras', 'a.weights.h5'], 'f')).toBe('a.keras');
    expect(modelIn(['b.h5', 'notes.txt'], 'f')).toBe('b.h5');
  });

  it.each([
    [['b.h5', 'a.keras'], /^f has a\.keras and b\.h5; give the one that is meant\.$/],
    [['saved_model.pb', 'variables'], /^f is a TensorFlow SavedModel/],
    [['checkpoint', 'x.index'], /^f is weights only, a TensorFlow checkpoint/],
    [[], /^f has no model\.json and no \.keras or \.h5 file/],
  ])('%s', (names, line) => {
    expect(() => modelIn(names, 'f')).toThrow(line);
  });
});
