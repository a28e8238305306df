import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { useEngine } from '@sbp/engine';
import { noisesOf } from '@sbp/layers';
import { defaultReplicas, train } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { buildNet, netTitle } from './nets.js';
import { trainReporter } from './progress.js';
import { dataSets, type RunConfig, type RunOverrides, readRunConfig } from './run-config.js';
import { loadData } from './run-data.js';
import { appendMetrics, beginRun, checkRunFolder, type RunPaths, runPaths } from './run-folder.js';
import { finishRun } from './run-results.js';
import { count, duration, plural } from './words.js';

/**
 * `sbp train`: trains the config's network, or goes on where an earlier call was stopped; removes the groups that drowned in noise,
 * checks and times what is left, and leaves all of it in the run's folder.
 *
 * @param options.json the result goes to standard output as JSON, all else to standard error
 */
export async function trainRun(
  file: string,
  { runs, json = false, ...overrides }: RunOverrides & { runs: string; json?: boolean },
): Promise<void> {
  const config = readRunConfig(file, overrides);
  const paths = runPaths(join(runs, config.name));
  checkRunFolder(paths, config);
  const stream = json ? process.stderr : process.stdout;
  const say = (line: string) => stream.write(`${line}\n`);
  if (existsSync(paths.result)) say(`${paths.folder} is done; this is what it came to.`);
  else await perform(config, paths, stream, say);
  if (json) process.stdout.write(readFileSync(paths.result, 'utf8'));
  else say(`\n${readFileSync(paths.table, 'utf8').trim()}\n\n${contents(paths)}`);
}

async function perform(
  config: RunConfig,
  paths: RunPaths,
  stream: NodeJS.WriteStream,
  say: (line: string) => void,
): Promise<void> {
  const saved = readCheckpoint(paths.checkpoint);
  const engine = await useEngine(saved?.engine ?? config.engine);
  const replicas = saved?.replicas ?? (config.train.replicas || (await defaultReplicas(engine.name)));
  const data = await loadData(config.data, say);
  const model = buildNet(config, { ...config.noise, trainExamples: data.train.size });
  const sizes = `${count(data.train.size)} training images, ${count(data.test.size)} test images`;
  say(`${netTitle(config)} on ${dataSets[config.data.set].title}: ${sizes}`);
  say(`Engine: ${engine.name} ${engine.version} (${engine.device}), ${plural(replicas, 'replica')}`);
  const { epochs } = config.train;
  if (saved) say(`Going on from the end of epoch ${saved.state.epoch} of ${epochs}, kept in ${paths.folder}`);
  const history = [...(saved?.history ?? [])];
  beginRun(paths, config, history);
  const reporter = trainReporter(stream, epochs, history, groupsOf(model));
  const unwatch = stopOnSignals(() => {
    reporter.stop();
    return kept(paths, history.length, epochs);
  });
  try {
    const settings = { ...config.train, replicas };
    await train(model, data, settings, {
      resume: saved?.state,
      onProgress: (progress) => reporter.progress(progress),
      onEpoch: (metrics, state) => {
        history.push(metrics);
        // First the checkpoint: metrics.jsonl is brought to what it says when the run goes on.
        writeCheckpoint(paths.checkpoint, { engine: engine.name, replicas, history, state });
        appendMetrics(paths, metrics);
        reporter.epoch(metrics);
      },
    });
    reporter.stop();
    const seconds = history.reduce((sum, epoch) => sum + epoch.seconds, 0);
    say(`Trained ${plural(history.length, 'epoch')} in ${duration(seconds)}.`);
    await finishRun(config, { paths, say, engine, replicas, data, model, history });
  } finally {
    reporter.stop();
    unwatch();
  }
}

function groupsOf(model: tf.LayersModel): Record<string, number> {
  return Object.fromEntries(noisesOf(model).map(({ layer, groups }) => [layer.name, groups]));
}

function kept({ folder }: RunPaths, done: number, epochs: number): string {
  if (done === 0)
    return 'Stopped before the end of the first epoch, so nothing is kept; the same command starts anew.';
  return `Stopped; ${done} of ${epochs} epochs are kept in ${folder}: the same command goes on from there.`;
}

/**
 * What is written is written whole, so the process can end at any moment; it only has to say so.
 *
 * @returns what ends the watch
 */
function stopOnSignals(line: () => string): () => void {
  const stop = (code: number) => () => {
    process.stderr.write(`\n${line()}\n`);
    process.exit(code);
  };
  const handlers = { SIGINT: stop(130), SIGTERM: stop(143) };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, handlers[signal]);
  return () => {
    for (const signal of signals) process.off(signal, handlers[signal]);
  };
}

function contents(paths: RunPaths): string {
  return [
    `In ${paths.folder}:`,
    '  pruned/model.json    the small network; plain tfjs opens it',
    '  noisy/model.json     the trained network with nothing removed; plain tfjs opens it',
    '  trained/model.json   the trained network with its noise layers, for sbp prune',
    '  table.md, training.svg, widths.svg, result.json, metrics.jsonl, config.json',
  ].join('\n');
}
