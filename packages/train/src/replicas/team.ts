import type { Dataset } from '@sbp/data';
import { add, type EpochPart, type EpochSums } from '../run/epoch.js';
import type { TrainProgress } from '../run/state.js';
import { type Channel, Correspondent } from './correspondent.js';

export type OnProgress = (progress: Omit<TrainProgress, 'epochs'>) => void;

/** A run's replicas, wherever they live. */
export interface Team {
  epoch(epoch: number, part: Omit<EpochPart, 'pause'> & { onProgress: OnProgress }): Promise<EpochSums>;
  evaluate(weights: Float32Array, dataset: Dataset): Promise<number[]>;
  stop(): Promise<void>;
}

/**
 * The replicas behind some channels, once all of them are ready. One that dies fails what they were asked for, with its reason.
 *
 * @param release lets those go that wait for another in a step: one has died, or all are to stop
 */
export async function teamOf(channels: Channel[], release: () => void): Promise<Team> {
  const replicas = channels.map((channel, index) => new Correspondent(channel, index, release));
  const stop = async () => {
    release();
    await Promise.all(replicas.map((replica) => replica.stop()));
  };
  try {
    await Promise.all(replicas.map((replica) => replica.answer('ready')));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    async epoch(epoch, { onProgress, ...part }) {
      for (const replica of replicas) replica.ask({ kind: 'epoch', epoch, ...part });
      const answers = await Promise.all(replicas.map((r) => r.answer('epoch', onProgress)));
      return (answers[0] as { sums: EpochSums }).sums;
    },
    async evaluate(weights, dataset) {
      for (const replica of replicas) replica.ask({ kind: 'evaluate', weights, dataset });
      const answers = await Promise.all(replicas.map((r) => r.answer('evaluate')));
      const sums = answers.map(({ measured }) => measured);
      const [first, ...others] = sums as [number[], ...number[][]];
      for (const each of others) add(first, each);
      return first;
    },
    stop,
  };
}
