import { saveModel } from '@sbp/model';
import { readCheckpoint } from '@sbp/train/checkpoint';
import { buildNet, dressedFor, netTitle } from '../nets.js';
import { placeOf, type Run, startEngine } from '../run.js';
import { dataSets } from '../run-config.js';
import { loadData, testedImages } from '../run-data.js';
import { beginRun } from '../run-folder.js';
import { trainToEnd, writeTrainedOn } from '../training.js';
import { startFrom, startingPoint } from '../warm-start.js';
import { count, plural } from '../words.js';

/** Trains the config's network, or goes on where an earlier call was stopped. */
export async function trainPhase(run: Run): Promise<void> {
  const { config, paths, say } = run;
  const saved = readCheckpoint(paths.checkpoints, say);
  const start = saved || config.from === undefined ? undefined : startingPoint(config.from, run);
  const on = await startEngine(config, saved);
  const data = await loadData(config.data, run.stream);
  const model = buildNet(config, data.train.size);
  if (start) await startFrom(start, model);
  const tested = data.test === data.train ? '' : `, ${count(data.test.size)} ${testedImages(config.data)}`;
  say(
    `${netTitle(config)} on ${dataSets[config.data.set].title}: ${count(data.train.size)} training images${tested}`,
  );
  say(
    `Engine: ${on.engine.name} ${on.engine.version} (${on.engine.device}), ${plural(on.replicas, 'replica')}`,
  );
  if (start) say(`Starting from the weights of ${start}`);
  beginRun(paths, config);
  const settings = { ...config.train, replicas: on.replicas };
  const files = { checkpoints: paths.checkpoints, metrics: paths.metrics, events: paths.trainEvents };
  await trainToEnd(placeOf(run), {
    ...dressedFor(config),
    model,
    data,
    settings,
    on,
    saved,
    files,
  });
  await saveModel(model, paths.trained);
  const { environment } = await import('@sbp/bench');
  writeTrainedOn(paths.training, on, { environment: environment() });
  model.dispose();
}
