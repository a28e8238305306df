import { loadModel, saveModel } from '@sbp/model';
import { readCheckpoint } from '@sbp/train/checkpoint';
import { plural } from '../../words/words.js';
import { dressedFor } from '../model/nets.js';
import { setBatchNormTrainable } from '../model/run-model.js';
import { placeOf, type Run, readTrained, startEngine, trainingData } from '../run.js';
import { trainToEnd, writeTrainedOn } from '../training.js';

/** Trains the smaller network on, as the config's `fineTune` says. */
export async function fineTunePhase(run: Run): Promise<void> {
  const { config, paths, say } = run;
  const { seed } = config.train;
  const saved = readCheckpoint(paths.fineTuneCheckpoints, say, config.fineTune!.epochs);
  const on = await startEngine(config, saved);
  const data = await trainingData(run, config.fineTune!);
  const model = await loadModel(paths.pruned);
  setBatchNormTrainable(model, true);
  const settings = { ...config.fineTune!, seed, replicas: on.replicas };
  say(`Fine-tuning the pruned network for ${plural(settings.epochs, 'epoch')}`);
  const files = {
    checkpoints: paths.fineTuneCheckpoints,
    metrics: paths.fineTuneMetrics,
    events: paths.fineTuneEvents,
  };
  await trainToEnd(placeOf(run), {
    ...dressedFor(config),
    model,
    data,
    settings,
    on,
    saved,
    files,
    measure: readTrained(paths).measure,
  });
  await saveModel(model, paths.tuned);
  const { environment } = await import('@sbp/bench');
  writeTrainedOn(paths.fineTuning, on, { environment: environment() });
  model.dispose();
}
