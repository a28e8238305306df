import { loadModel, saveModel } from '@sbp/model';
import { readCheckpoint } from '@sbp/train/checkpoint';
import { dressedFor } from '../nets.js';
import { placeOf, type Run, readTrained, startEngine, trainingData } from '../run.js';
import { setBatchNormTrainable } from '../run-model.js';
import { trainToEnd, writeTrainedOn } from '../training.js';
import { plural } from '../words.js';

/** Trains the smaller network on, as the config's `fineTune` says. */
export async function fineTunePhase(run: Run): Promise<void> {
  const { config, paths, say } = run;
  const { seed } = config.train;
  const saved = readCheckpoint(paths.fineTuneCheckpoints, say);
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
