import { type DataOptions, type OpenedData, openData } from '@sbp/data';
import { namesOf, outputEnds } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { installReporter } from '../../words/install-progress.js';
import { count } from '../../words/words.js';

/** What a model does to its inputs by itself, so that the data must not. */
const NORMALIZING = new Set(['Rescaling', 'Normalization']);

/** A person's data, and what is to be known to read it. */
export interface SourceSettings extends Pick<DataOptions, 'classes' | 'seed' | 'skipBroken' | 'label'> {
  /** Its path. */
  data: string;
  normalize?: string;
  augment?: readonly string[];
}

/** The data as the model takes it. @param stream where the reading shows how far it is */
export async function dataFor(
  model: tf.LayersModel,
  settings: SourceSettings,
  stream: NodeJS.WriteStream,
): Promise<OpenedData> {
  const reporter = installReporter(stream);
  const { data, label, classes, augment, seed, skipBroken } = settings;
  const own = normalizes(model);
  const normalize = settings.normalize ?? (own ? 'none' : undefined);
  try {
    const opened = await openData(data, {
      inputs: inputsOf(model),
      outputs: outputsOf(model),
      ...{ label, classes, seed, skipBroken },
      normalize: normalize as DataOptions['normalize'],
      augment: augment as DataOptions['augment'],
      onProgress: (done, total) =>
        reporter.progress({ step: 'data', message: 'reading', done, total, amount: count }),
    });
    const notes = own ? [normalizeNote(own, settings.normalize)] : [];
    return { ...opened, notes: [...opened.notes, ...notes] };
  } finally {
    reporter.stop();
  }
}

/** What becomes of the numbers of a model that scales them itself. */
const normalizeNote = (layer: string, asked: string | undefined) =>
  asked === undefined || asked === 'none'
    ? `numbers as they are: the model's layer '${layer}' scales them`
    : `numbers are scaled twice, by --normalize ${asked} and by the model's layer '${layer}'; leave --normalize out, unless it was trained so`;

/** The layer by which a model scales what it is given. */
function normalizes({ inputs }: tf.LayersModel): string | undefined {
  const readers = inputs.flatMap(({ sourceLayer }) =>
    sourceLayer.outboundNodes.map((node) => node.outboundLayer),
  );
  const inner = readers.flatMap((layer) =>
    'inputLayers' in layer ? (normalizes(layer as tf.LayersModel) ?? []) : [],
  );
  return readers.find((layer) => NORMALIZING.has(layer.getClassName()))?.name ?? inner[0];
}

function inputsOf(model: tf.LayersModel): DataOptions['inputs'] {
  const names = namesOf(model, 'input');
  return Object.fromEntries(
    model.inputs.map(({ shape, dtype }, i) => [
      names[i]!,
      { shape: shape.slice(1), ...(dtype === 'int32' && { dtype: 'int32' as const }) },
    ]),
  );
}

function outputsOf(model: tf.LayersModel): DataOptions['outputs'] {
  const names = namesOf(model, 'output');
  const ends = outputEnds(model);
  return Object.fromEntries(
    model.outputs.map(({ shape }, i) => [
      names[i]!,
      { size: shape.at(-1)!, ...(ends[i] === 'softmax' && { kind: 'classes' as const }) },
    ]),
  );
}
