import '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { Replica } from '../run/replica.js';
import type { SharedRun } from '../run/shared-run.js';
import type { Link } from './link.js';
import type { Reply, Request } from './messages.js';
import { progressPause } from './progress-pause.js';

/** A replica of a run that does what it is asked, on the current backend. */
export async function replicaService(
  run: SharedRun,
  index: number,
  link: Link | undefined,
  say: (reply: Reply) => void,
): Promise<(request: Request) => Promise<void>> {
  const topology = run.topology as Parameters<typeof tf.models.modelFromJSON>[0];
  const replica = new Replica(await tf.models.modelFromJSON(topology), run, index, link);
  return async (request) => {
    if (request.kind === 'evaluate') {
      say({ kind: 'evaluate', measured: replica.evaluate(request.weights, request.dataset) });
      return;
    }
    const { epoch, from, seconds, until, klScale } = request;
    const pause = progressPause(run, epoch, from, (progress) => say({ kind: 'progress', progress }));
    // one of them reports, and watches the time
    const shared = { from, until, klScale };
    const part = index === 0 ? { ...shared, seconds, pause } : shared;
    say({ kind: 'epoch', sums: await replica.epoch(epoch, part) });
  };
}

/** The last word of a replica that can't go on: one line, and no stack. Who started it ends it. */
export function dying(error: unknown): Reply {
  return { kind: 'dying', reason: error instanceof Error ? error.message : String(error) };
}
