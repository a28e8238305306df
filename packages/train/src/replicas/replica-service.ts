import '@sbp/layers';
import { loadModel, type SavedFiles } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { TrainError } from '../errors.js';
import { Replica } from '../run/replica.js';
import type { SharedRun } from '../run/shared-run.js';
import { weightLayout } from '../step/layout.js';
import type { Link } from './link.js';
import type { Reply, Request } from './messages.js';
import { progressClock, progressPause } from './progress-pause.js';

/** A replica of a run that does what it is asked, on the current backend. */
export async function replicaService(
  files: SavedFiles,
  run: SharedRun,
  index: number,
  link: Link | undefined,
  say: (reply: Reply) => void,
): Promise<(request: Request) => Promise<void>> {
  const replica = new Replica(await opened(files, run), run, index, link);
  const clock = progressClock();
  return async (request) => {
    if (request.kind === 'evaluate') {
      say({ kind: 'evaluate', measured: await replica.evaluate(request.weights, request.dataset) });
      return;
    }
    const { epoch, from, seconds, until, klScale } = request;
    const pause = progressPause(run, epoch, from, (progress) => say({ kind: 'progress', progress }), clock);
    // one of them reports, and watches the time
    const shared = { from, until, klScale };
    const part = index === 0 ? { ...shared, seconds, pause } : shared;
    say({ kind: 'epoch', sums: await replica.epoch(epoch, part) });
  };
}

/** By our own reader: tfjs's gives the uses of a layer that stands in several places other numbers. */
async function opened(files: SavedFiles, { weightNames }: SharedRun): Promise<tf.LayersModel> {
  const model = await loadModel(
    Object.entries(files).map(([name, bytes]) => ({
      name,
      size: bytes.length,
      arrayBuffer: async () => bytes.slice().buffer as ArrayBuffer,
    })),
  );
  const names = weightLayout(model).slots.map(({ variable }) => variable.originalName);
  const other = names.findIndex((name, i) => name !== weightNames[i]);
  if (other >= 0 || names.length !== weightNames.length)
    throw new TrainError(
      `a replica's copy of the model has its weights in another order (${names[other]} where ${weightNames[other]} is); please report this, and set replicas to 1 meanwhile`,
    );
  return model;
}

/** The last word of a replica that can't go on: one line, and no stack. Who started it ends it. */
export function dying(error: unknown): Reply {
  return { kind: 'dying', reason: error instanceof Error ? error.message : String(error) };
}
