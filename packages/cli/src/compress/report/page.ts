import { type Block, errorMacsChart, lossChart, page, type Section, trainingChart } from '@sbp/bench';
import type { Dataset } from '@sbp/data';
import type * as tf from '@tensorflow/tfjs';
import { diffModels } from '../../diff/diff-models.js';
import { diffNote, diffRows } from '../../diff/diff-table.js';
import { chartOfWidths } from '../../measure/figures.js';
import { count, duration, plural } from '../../words/words.js';
import { targetWords } from '../targets/targets.js';
import { disagreements } from './disagreements.js';
import type { CompressResult } from './result.js';
import { resultRows } from './result-lines.js';

/** The report of a compression, as one HTML page that needs nothing but itself. */
export function compressPage(
  result: CompressResult,
  { original, model, test }: { original: tf.LayersModel; model: tf.LayersModel; test: Dataset },
): string {
  const { settings, before, after } = result;
  const sections: Section[] = [
    {
      title: 'Before and after',
      blocks: [
        { kind: 'table', ...resultRows(result) },
        { kind: 'text', text: note(result) },
      ],
    },
    { title: 'Layer by layer', blocks: layers(result, original, model) },
    { title: 'Error against cost', blocks: curve(result) },
    ...pictures(disagreements(original, model, test), test.size),
    { title: 'Training', blocks: training(result) },
    { title: 'What was run', blocks: facts(result) },
  ];
  return page(
    `${settings.model}, ${(before.macs / after.macs).toFixed(2)}× fewer multiply-accumulates`,
    `By sbp compress, --target ${targetWords(result.target)}.`,
    sections,
  );
}

function note({ onnx, runtimes }: CompressResult): string {
  const same = onnx
    ? ` The ONNX file gives the same outputs within ${onnx.largest.toExponential(1)} on ${count(onnx.examples)} test examples.`
    : '';
  return `Errors are those on the test examples. MACs: multiply-accumulates of one example, counted plainly. Speed-ups: inference of single examples on ${runtimes.join(' and ')}, timed side by side, median (quartiles).${same}`;
}

function layers({ report }: CompressResult, original: tf.LayersModel, model: tf.LayersModel): Block[] {
  const diff = diffModels(original, model);
  const notes = report.layers.flatMap(({ name, notes }) => notes.map((text) => `${name}: ${text}.`));
  const stay = report.unfollowed.map(({ name, why }) => `${name}: ${why}.`);
  return [
    {
      kind: 'chart',
      title: 'Groups before and after',
      draw: (width) => chartOfWidths(report.layers, { width }),
    },
    { kind: 'table', ...diffRows(diff) },
    { kind: 'text', text: diffNote(diff) },
    ...(notes.length > 0
      ? [{ kind: 'code', title: 'What stayed, and why', text: [...notes, ...stay].join('\n') } as const]
      : []),
  ];
}

function curve({ measure, curve: points, before, after }: CompressResult): Block[] {
  return [
    {
      kind: 'text',
      text: 'The trained network cut to other targets, without fine-tuning; sbp sweep-target measures more of them, and times them.',
    },
    {
      kind: 'chart',
      title: 'Error against multiply-accumulates',
      draw: (width) =>
        errorMacsChart(
          [
            { name: 'before', kind: 'measured', points: [before] },
            { name: 'fine-tuned', kind: 'measured', points: [after] },
            { name: 'cut at other targets, not fine-tuned', kind: 'curve', points },
          ],
          { width, measure, lines: 'the trained noise cut at other targets, not fine-tuned' },
        ),
    },
  ];
}

function pictures(found: ReturnType<typeof disagreements>, examples: number): Section[] {
  if (!found) return [];
  const { pictures, count: all } = found;
  const lead = `Of ${count(examples)} test images, the model before and after say different things of ${count(all)}${all > pictures.length ? `; the first ${pictures.length}` : ''}. Shown is what the models are given, from its darkest to its brightest.`;
  return [
    {
      title: 'Where they disagree',
      blocks: [
        { kind: 'text', text: lead },
        { kind: 'pictures', pictures },
      ],
    },
  ];
}

function training({ measure, history: { noise, tune } }: CompressResult): Block[] {
  const losses = (title: string, epochs: typeof noise): Block => ({
    kind: 'chart',
    title,
    draw: (width) => lossChart(epochs, { title, width, measure }),
  });
  const withNoise: Block[] =
    noise.length === 0
      ? []
      : [
          losses('Loss and error by epoch, with noise', noise),
          {
            kind: 'chart',
            title: 'Groups kept and test error by epoch',
            draw: (width) => trainingChart(noise, { width, measure }),
          },
        ];
  return [...withNoise, losses('Fine-tuning of the smaller model', tune)];
}

function facts(result: CompressResult): Block[] {
  const { settings, on, environment, version, seconds, estimated, history, target } = result;
  const entries: [string, string][] = [
    ['Model', settings.model],
    ['Data', settings.data ?? 'none'],
    ['Target', targetWords(target)],
    [
      'Training',
      `${history.noise.length > 0 ? `${plural(history.noise.length, 'epoch')} with noise, ` : ''}${plural(history.tune.length, 'epoch')} after the cut by ${settings.criterion}, batches of ${settings.batchSize}, rate ${settings.learningRate}`,
    ],
    ['What is minimised', objectiveWords(result)],
    ['Examples', examplesWords(result)],
    [
      'Trained on',
      `${on.engine.name} ${on.engine.version} (${on.engine.device}), ${plural(on.replicas, 'replica')}`,
    ],
    ['Took', `${duration(seconds)} (estimated: ${duration(estimated)})`],
    ['Seed', String(settings.seed)],
    ['Machine', `${environment.cpu}, ${plural(environment.cores, 'core')}, ${environment.platform}`],
    ['Versions', `sbp ${version}, tfjs ${environment.tfjs}, Node ${environment.node}`],
  ];
  return [
    { kind: 'facts', facts: entries },
    { kind: 'code', title: 'Settings', text: JSON.stringify(settings, undefined, 2) },
  ];
}

function objectiveWords({ losses, settings, history }: CompressResult): string {
  const own = losses.map(({ output, loss, weight }) =>
    losses.length === 1 ? loss : `${loss} of '${output}'${weight === 1 ? '' : ` × ${weight}`}`,
  );
  const taught = settings.distill ? ', half of it against what the model as it was says' : '';
  if (history.noise.length === 0) return `${own.join(' and ')}${taught}`;
  const scale = history.noise.at(-1)?.klScale;
  const kl = `with noise also the KL of each group, by what it costs (1 in the mean), over the number of training examples${scale === undefined ? '' : `, times ${scale.toPrecision(3)} at the end`}`;
  return `${own.join(' and ')}${taught}; ${kl}`;
}

function examplesWords({ examples: { train, validation, test } }: CompressResult): string {
  const held = validation === undefined ? '' : `, ${count(validation)} held out`;
  return `${count(train)} to train on${held}, ${count(test)} to test on; nothing is selected by those`;
}
