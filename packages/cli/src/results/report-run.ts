import { type Block, type LayerSnr, lossChart, type Section, snrChart, trainingChart } from '@sbp/bench';
import { useEngine } from '@sbp/engine';
import { chartOfWidths, figuresNote, figuresRows } from '../measure/figures.js';
import type { Result } from './results.js';
import { examplesOf, networkTitle, resultsRows } from './results-table.js';
import { runPaths } from '../run/run-folder.js';
import { trainedSnr } from '../run/signal-to-noise.js';
import { dataTitle, examplesWord, methodTitles, netTitle, testedExamples } from '../config/titles.js';
import { count, duration, plural } from '../words/words.js';

/** One run's part of a report. */
export async function reportRun(result: Result): Promise<Section[]> {
  const parts: Section[] = [
    { title: 'Figures', blocks: figures(result) },
    { title: 'The network', blocks: network(result) },
    { title: 'Training', blocks: training(result) },
    { title: 'Noise', blocks: await noise(result) },
    { title: 'What was run', blocks: settings(result) },
  ];
  return parts.filter(({ blocks }) => blocks.length > 0);
}

function figures(result: Result): Block[] {
  const { config, rows, agreement, runtimes } = result;
  const title = `${networkTitle(config)}, ${plural(config.train.epochs, 'epoch')}`;
  const { warning } = resultsRows([result]);
  const same = agreement && agreed(agreement, testedExamples(config.data));
  return [
    ...(warning === undefined ? [] : [{ kind: 'text', text: warning, strong: true } as const]),
    { kind: 'table', ...figuresRows(rows, result.measure) },
    { kind: 'text', text: [figuresNote(title, runtimes), same].filter(Boolean).join(' ') },
  ];
}

function agreed(
  { examples, maxDifference, otherPredictions }: NonNullable<Result['agreement']>,
  images: string,
): string {
  const predictions =
    otherPredictions === 0
      ? 'every prediction is equal'
      : `${plural(otherPredictions, 'prediction')} of ${count(examples)} differ`;
  return `The pruned network beside the trained one, on ${count(examples)} ${images}: ${maxDifference === 0 ? 'probabilities are equal' : `probabilities within ${maxDifference.toExponential(1)}`}, and ${predictions}.`;
}

function network({ report }: Result): Block[] {
  if (!report) return [];
  const notes = report.layers.filter((layer) => layer.notes.length > 0);
  return [
    {
      kind: 'chart',
      title: 'The network before and after',
      draw: (width) => chartOfWidths(report.layers, { width }),
    },
    ...notes.map(({ name, notes }): Block => ({ kind: 'text', text: `${name}: ${notes.join('; ')}.` })),
  ];
}

function training({ history, fineTuning, measure }: Result): Block[] {
  const groups = Object.keys(history[0]!.total).length > 0;
  const losses = (title: string, epochs: Result['history']): Block => ({
    kind: 'chart',
    title,
    draw: (width) => lossChart(epochs, { title, width, measure }),
  });
  return [
    losses('Loss and error by epoch', history),
    ...(groups
      ? [
          {
            kind: 'chart',
            title: 'Groups kept and test error by epoch',
            draw: (width: number) => trainingChart(history, { width, measure }),
          } as const,
        ]
      : []),
    ...(fineTuning ? [losses('Fine-tuning of the smaller network', fineTuning.history)] : []),
  ];
}

async function noise({ config, folder }: Result): Promise<Block[]> {
  if (config.method !== 'structured-bp') return [];
  const layers = folder === undefined ? undefined : await readSnr(config, folder);
  if (layers)
    return [
      {
        kind: 'chart',
        title: 'Signal-to-noise ratios of the groups',
        draw: (width) => snrChart(layers, { width }),
      },
    ];
  const text =
    "The signal-to-noise ratios are not here: they are read from trained/ in the run's folder, and this report was made without it.";
  return [{ kind: 'text', text }];
}

async function readSnr(config: Result['config'], folder: string): Promise<LayerSnr[] | undefined> {
  // Nothing is computed but a few numbers: the engine that starts fastest.
  await useEngine('wasm');
  return trainedSnr(config, runPaths(folder));
}

function settings(result: Result): Block[] {
  const { config, engine, environment, replicas, runtimes, history, version, examples } = result;
  const { data, train, fineTune } = config;
  const held = examples?.validation ?? data.validation ?? 0;
  const trained = examples?.train ?? examplesOf(result) - held;
  const title = examplesWord(data) === 'image' ? 'Images' : 'Examples';
  const seconds = history.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const facts: [string, string | undefined][] = [
    ['Run', config.name],
    ['Network', netTitle(config)],
    ['Method', methodTitles[config.method]],
    [
      title,
      `${dataTitle(data)}${data.labels === 'random' ? ' with random labels' : ''}, ${count(trained)} to train on${held ? `, ${count(held)} held out` : ''}`,
    ],
    ['Starts from', config.from],
    [
      'Training',
      `${plural(train.epochs, 'epoch')} of batches of ${train.batchSize}, rate ${train.learningRate}, in ${duration(seconds)}`,
    ],
    ['Fine-tuning', fineTune && plural(fineTune.epochs, 'epoch')],
    ['What is minimised', objectiveWords(config)],
    ['Seed', String(train.seed)],
    ['Trained on', `${engine.name} ${engine.version} (${engine.device}), ${plural(replicas, 'replica')}`],
    ['Timed on', runtimes.join(', ')],
    ['Machine', `${environment.cpu}, ${plural(environment.cores, 'core')}, ${environment.platform}`],
    ['Versions', `sbp ${version}, tfjs ${environment.tfjs}, Node ${environment.node}`],
  ];
  return [
    { kind: 'facts', facts: facts.flatMap(([name, value]) => (value ? [[name, value] as const] : [])) },
    { kind: 'code', title: 'Config, with every default', text: JSON.stringify(config, undefined, 2) },
  ];
}

/** What training minimised, beside what is told of its schedule. */
function objectiveWords({ method, noise, sparseVd, groupLasso, train }: Result['config']): string {
  const { loss, l2, distillation } = train;
  const own = typeof loss === 'string' ? loss : loss ? JSON.stringify(loss) : 'the loss that the targets ask for';
  const more = {
    original: [],
    'sparse-vd': [`KL of each weight × ${sparseVd.klScale}`],
    ssl: [`group lasso, filters ${JSON.stringify(groupLasso.filters)}, channels ${JSON.stringify(groupLasso.channels)}`],
    'structured-bp': [`KL of each group by ${JSON.stringify(noise.klWeight).replaceAll('"', '')} × ${noise.klScale}, over the number of training examples`],
  }[method];
  const penalty = l2 === 0 ? [] : [`L2 ${JSON.stringify(l2)}`];
  const taught = distillation ? [`${distillation.weight} of the loss against what the model as it was says`] : [];
  return [own, ...taught, ...more, ...penalty].join('; ');
}
