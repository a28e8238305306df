import { createDataset } from '@sbp/data';
import { type Engine, useEngine } from '@sbp/engine';
import { lasting, runMemory } from '../../run/memory.js';
import type { ProcessStart, Reply, Request } from '../messages.js';
import { dying, replicaService } from '../replica-service.js';
import { processLink } from './process-link.js';

const say = (reply: Reply) => process.send?.(reply);
const die = (error: unknown) => say(dying(error));
// Who presses Ctrl-C means the process that owns the run; without it there is nothing to do.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR1']) process.on(signal, () => {});
process.on('disconnect', () => process.exit());

process.once('message', async ({ model, plan, index, backend, device: expected }: ProcessStart) => {
  try {
    const { device } = await useEngine(backend as Engine['name']);
    if (device !== expected)
      throw new Error(
        `there is no GPU at CUDA_VISIBLE_DEVICES=${process.env.CUDA_VISIBLE_DEVICES}; ask for as many replicas as there are GPUs`,
      );
    const run = { ...plan, train: createDataset(plan.train), ...runMemory(plan) };
    const link = processLink();
    link.pull(...lasting(run));
    const answer = await replicaService(model, run, index, link, say);
    process.on('message', (request: Request) => answer(request).catch(die));
    say({ kind: 'ready' });
  } catch (error) {
    die(error);
  }
});
