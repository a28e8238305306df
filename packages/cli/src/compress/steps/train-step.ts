import { rmSync } from 'node:fs';
import { saveModel } from '@sbp/model';
import { errorTitle, type Steering, type TrainConfig } from '@sbp/train';
import { readCheckpoint } from '@sbp/train/checkpoint';
import type * as tf from '@tensorflow/tfjs';
import { trainToEnd, writeTrainedOn } from '../../run/training.js';
import { sealStep, trainingOf } from '../done.js';
import type { Job } from '../job.js';
import type { TrainingPaths } from '../paths.js';

/** One of a compression's two trainings. */
interface TrainStep {
  model: tf.LayersModel;
  settings: TrainConfig & { epochs: number };
  files: TrainingPaths;
  steer?: Steering;
  /** What is done to the trained model before it is kept. */
  finish?(model: tf.LayersModel): Promise<void>;
}

/** Trains to the end, or goes on where an earlier call was stopped, and leaves the model and word that it is done. Disposes of the model. */
export async function trainStep(
  { paths, say, stream, data, on, objective }: Job,
  { model, settings, files, steer, finish }: TrainStep,
): Promise<void> {
  const saved = readCheckpoint(files.checkpoints, say, settings.epochs);
  await trainToEnd(
    { folder: paths.folder, stream, say },
    { model, data, settings, on, saved, files, steer, measure: errorTitle(objective) },
  );
  await finish?.(model);
  await saveModel(model, files.model);
  model.dispose();
  writeTrainedOn(files.done, on);
  sealStep(paths, trainingOf(files));
  rmSync(files.checkpoints, { recursive: true, force: true });
}
