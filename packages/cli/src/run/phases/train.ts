import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { saveModel } from '@sbp/model';
import { errorTitle } from '@sbp/train';
import { readCheckpoint } from '@sbp/train/checkpoint';
import { paperNet } from '../../config/paper-nets.js';
import { dataTitle, examplesWord, netTitle, testedExamples } from '../../config/titles.js';
import { objectiveFor } from '../../measure/measured.js';
import { count, plural } from '../../words/words.js';
import { dressedFor } from '../model/nets.js';
import { KEEP, modelAsItIs, modelFor } from '../model/run-model.js';
import { countsOf, placeOf, type Run, startEngine, trainingData } from '../run.js';
import { beginRun } from '../run-folder.js';
import { seal } from '../seals.js';
import { trainToEnd, writeTrainedOn } from '../training.js';
import { startFrom, startingPoint } from '../warm-start.js';

/** Trains the config's network, or goes on where an earlier call was stopped. */
export async function trainPhase(run: Run): Promise<void> {
  const { config, paths, say } = run;
  const saved = readCheckpoint(paths.checkpoints, say, config.train.epochs);
  const start = saved || config.from === undefined ? undefined : startingPoint(config.from, run);
  const on = await startEngine(config, saved);
  const data = await trainingData(run, config.train);
  const model = await modelFor(config, paths, data.train.size);
  const objective = objectiveFor(config, model, data.test);
  const measure = errorTitle(objective);
  if (start) await startFrom(start, model);
  const tested = data.test === data.train ? '' : `, ${count(data.test.size)} ${testedExamples(config.data)}`;
  say(
    `${netTitle(config)} on ${dataTitle(config.data)}: ${count(data.train.size)} training ${examplesWord(config.data)}s${tested}`,
  );
  for (const note of [...(data.notes ?? []), ...(objective.notes ?? [])]) say(`  ${note}`);
  say(
    `Engine: ${on.engine.name} ${on.engine.version} (${on.engine.device}), ${plural(on.replicas, 'replica')}`,
  );
  if (start) say(`Starting from the weights of ${start}`);
  beginRun(paths, config);
  await keepOriginal(run);
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
    measure,
  });
  await saveModel(model, paths.trained);
  const { environment } = await import('@sbp/bench');
  writeTrainedOn(paths.training, on, { environment: environment(), measure, examples: countsOf(data) });
  model.dispose();
}

/** A person's own model may be another by the time that the run goes on. */
async function keepOriginal({ config, paths }: Run): Promise<void> {
  if (paperNet(config.model) || existsSync(join(paths.original, 'model.json'))) return;
  const model = await modelAsItIs(config, paths);
  await saveModel(model, paths.original);
  seal(paths.folder, KEEP, [paths.original]);
  model.dispose();
}
