import { closeSync, mkdirSync, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { noisesOf } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';
import type { EpochMetrics } from '../run/state.js';
import { EventSchema, SessionLog_SessionStatus } from './compat/proto/event_pb.js';
import { histogramOf } from './histogram.js';
import { tfRecord } from './tfrecord.js';

/** Writes what TensorBoard shows. Each call is a whole record in the file when it returns. */
export interface TensorboardWriter {
  /** @param step of the horizontal axis; @param values by tag, such as `loss/train`; those that are not finite are left out */
  scalars(step: number, values: Readonly<Record<string, number>>): void;
  /** @param values of which those that are not finite are left out */
  histogram(step: number, tag: string, values: ArrayLike<number>): void;
  close(): void;
}

/**
 * Begins a new event file in a folder, which is made if it is not there. `tensorboard --logdir` shows a folder's files as
 * one run.
 *
 * @param options.from the first step that will be written: TensorBoard forgets what earlier files in the folder say of that step and
 *   later ones, as a run that goes on from a checkpoint takes them again
 */
export function tensorboardWriter(folder: string, { from }: { from?: number } = {}): TensorboardWriter {
  mkdirSync(folder, { recursive: true });
  const file = openSync(join(folder, nextName(folder)), 'wx');
  const write = (event: MessageInitShape<typeof EventSchema>) => {
    const record = tfRecord(
      toBinary(EventSchema, create(EventSchema, { wallTime: Date.now() / 1000, ...event })),
    );
    for (let at = 0; at < record.length; ) at += writeSync(file, record, at);
  };
  const summary = (step: number, value: SummaryValue[]) =>
    write({ step: BigInt(step), what: { case: 'summary', value: { value } } });
  write({ what: { case: 'fileVersion', value: 'brain.Event:2' }, sourceMetadata: { writer: '@sbp/train' } });
  if (from !== undefined)
    write({
      step: BigInt(from),
      what: { case: 'sessionLog', value: { status: SessionLog_SessionStatus.START } },
    });
  return {
    scalars(step, values) {
      const finite = Object.entries(values).filter(([, value]) => Number.isFinite(value));
      summary(
        step,
        finite.map(([tag, value]) => ({ tag, value: { case: 'simpleValue', value } })),
      );
    },
    histogram(step, tag, values) {
      const value = histogramOf(values);
      if (value) summary(step, [{ tag, value: { case: 'histo', value } }]);
    },
    close: () => closeSync(file),
  };
}

type SummaryValue = NonNullable<
  Extract<MessageInitShape<typeof EventSchema>['what'], { case: 'summary' }>['value']['value']
>[number];

/** TensorBoard reads a folder's files in the order of their names, so that of a later start has to come later. */
function nextName(folder: string): string {
  const last = readdirSync(folder).map((name) =>
    Number(/^events\.out\.tfevents\.(\d+)/.exec(name)?.[1] ?? 0),
  );
  const seconds = Math.max(Math.floor(Date.now() / 1000), ...last.map((time) => time + 1));
  return `events.out.tfevents.${String(seconds).padStart(10, '0')}.sbp.${process.pid}.v2`;
}

/**
 * An epoch's figures at the step of its number: losses, errors, rate, speed, groups kept by layer; and of each noise layer a histogram
 * of its groups' signal-to-noise ratios, as they are and as log10, where pruning at 1 cuts at 0.
 *
 * @param model as `onEpoch` finds it
 */
export function writeEpoch(
  writer: TensorboardWriter,
  { epoch, loss, kl, trainError, error, validationError, kept, ...others }: EpochMetrics,
  model: tf.LayersModel,
): void {
  writer.scalars(epoch, {
    'loss/train': loss,
    'loss/kl': kl,
    'loss/objective': loss + kl,
    'error/train': trainError,
    'error/test': error,
    ...(validationError !== undefined && { 'error/validation': validationError }),
    ...tagged('metrics/test', others.metrics),
    ...tagged('metrics/validation', others.validationMetrics),
    learning_rate: others.learningRate,
    images_per_second: others.imagesPerSecond,
    ...Object.fromEntries(Object.entries(kept).map(([layer, groups]) => [`groups_kept/${layer}`, groups])),
  });
  for (const noise of noisesOf(model)) {
    const { snr } = noise.values();
    writer.histogram(epoch, `snr/${noise.layer.name}`, snr);
    writer.histogram(epoch, `snr_log10/${noise.layer.name}`, snr.map(Math.log10));
  }
}

const tagged = (place: string, values: Readonly<Record<string, number>> = {}) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${place}/${name}`, value]));
