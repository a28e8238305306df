import { DataError } from '../../data-error.js';
import { classTarget } from '../../dataset/class-target.js';
import type { Dataset, Numbers } from '../../dataset/dataset.js';
import { loadCifar10 } from '../../sets/cifar10.js';
import { cifarFiles } from '../../sets/cifar10-format.js';
import { loadIdx } from '../../sets/idx.js';
import { loadMnist } from '../../sets/mnist.js';
import { inMemory, type RawPart } from '../raw.js';
import type { Source } from './source.js';

/** Images and labels as MNIST's files have them. */
export const idx: Source = {
  what: 'IDX files named as those of MNIST',
  claims: ({ folder, names }) =>
    folder && names.some((name) => /^(train|t10k)-(images-idx3|labels-idx1)-ubyte(\.gz)?$/.test(name)),
  async open({ path }) {
    const canonical = await loadMnist({ folder: path }).catch((error) => {
      if (error instanceof DataError) return undefined;
      throw error;
    });
    const { train, test } = canonical ?? (await loadIdx({ folder: path }));
    return {
      parts: { train: rawPart(train, path), test: rawPart(test, path) },
      // Digits' numbers are their names; of other IDX files nothing but numbers is known.
      ...(canonical && { classes: classTarget(train).classes }),
      notes: [canonical ? "MNIST's own files, by their checksums" : 'IDX files, checked by format and sizes'],
    };
  },
};

/** The binary version of CIFAR-10. */
export const cifar: Source = {
  what: 'the binary version of CIFAR-10',
  claims: ({ folder, names }) => folder && names.some((name) => Object.hasOwn(cifarFiles, name)),
  async open({ path }) {
    const { train, test } = await loadCifar10({ folder: path });
    return {
      parts: { train: rawPart(train, path), test: rawPart(test, path) },
      classes: classTarget(train).classes,
      notes: ["CIFAR-10's own files, by their checksums"],
    };
  },
};

function rawPart(dataset: Dataset, path: string): RawPart {
  const where = (example: number) => `${path}: ${dataset.name}[${example}]`;
  const [input, target] = [dataset.inputs[0]!, classTarget(dataset)];
  const image = inMemory(input.name, input.values as Numbers, input.shape, where);
  return {
    inputs: [image],
    targets: [inMemory(target.name, target.values, [], where)],
  };
}
