// The process that opens what was damaged, watched by its parent: anything may happen here.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { relative } from 'node:path';
import type { Answer, Ask } from './protocol.js';
import { allocated, watchAllocations } from './watch-allocations.js';

const require = createRequire(import.meta.url);
const fs = require('node:fs') as typeof import('node:fs');
const opened: string[] = [];
for (const module of [fs, fs.promises] as unknown as Record<string, (...args: unknown[]) => unknown>[])
  for (const name of ['open', 'openSync', 'readFile', 'readFileSync', 'createReadStream']) {
    const own = module[name];
    if (own)
      module[name] = (...args) => {
        opened.push(String(args[0]));
        return own.apply(module, args);
      };
  }
syncBuiltinESMExports();
globalThis.fetch = (async (url: unknown) => {
  opened.push(String(url));
  throw new TypeError('fetch failed');
}) as typeof fetch;

await import('@sbp/layers');
const tf = await import('@tensorflow/tfjs');
const { kerasModels } = await import('./own-models.js');
const { loadModel, ModelError, readGraph } = await import('@sbp/model');
await tf.setBackend('cpu');
console.warn = () => {};
// What is loaded only when it is needed is loaded now.
for (const folder of kerasModels()) (await loadModel(folder)).dispose();
watchAllocations();

/** Of JavaScript's own objects, which are counted only in whole pages. */
const slack = 1e6;
const slackOfProcess = 150e6;

/** Milliseconds, of all threads together. */
const longest = 5000;

async function open({ folder, bytes }: Ask): Promise<Answer> {
  const faults: string[] = [];
  opened.length = 0;
  const tensors = tf.memory().numTensors;
  const resident = process.resourceUsage().maxRSS * 1024;
  const before = allocated();
  const cpu = process.cpuUsage();
  let refused: string | undefined;
  try {
    const model = await loadModel(folder);
    readGraph(model);
    // tfjs's own dispose leaves the weights of layers that are used twice.
    for (const weight of model.weights as unknown as { dispose(): void }[]) weight.dispose();
  } catch (error) {
    refused = error instanceof Error ? error.message : String(error);
    faults.push(...faultsOf(error, ModelError));
  }
  const { user, system } = process.cpuUsage(cpu);
  const milliseconds = (user + system) / 1000;
  if (milliseconds > longest) faults.push(`computes for ${milliseconds} ms`);
  const taken = allocated() - before;
  if (taken > 10 * bytes + slack) faults.push(`allocated ${taken} bytes for ${bytes} of files`);
  const grown = process.resourceUsage().maxRSS * 1024 - resident;
  if (grown > 10 * bytes + slackOfProcess)
    faults.push(`the process grew by ${grown} bytes for ${bytes} of files`);
  for (const path of opened) {
    const inside = relative(folder, path);
    if (inside.startsWith('..') || inside.startsWith('/')) faults.push(`opened ${path}`);
  }
  const left = tf.memory().numTensors - tensors;
  if (left > 0) faults.push(`left ${left} tensors behind`);
  return { refused, faults, milliseconds };
}

function faultsOf(error: unknown, ModelError: new (message: string) => Error): string[] {
  if (!(error instanceof ModelError)) return [`raw error: ${stackOf(error)}`];
  const faults: string[] = [];
  if (/[\p{Cc}\p{Cf}]/u.test(error.message)) faults.push('invisible characters in the message');
  if (error.message.length > 450) faults.push(`a message of ${error.message.length} characters`);
  // What tfjs throws is wrapped; our own code has to look before it leaps.
  const { cause } = error;
  const where =
    cause instanceof Error && !/^Model/.test(cause.name) ? (cause.stack ?? '').split('\n')[1] : undefined;
  if (where !== undefined && /packages\/(model|layers)\/dist/.test(where))
    faults.push(`our own error: ${(cause as Error).message} ${where.trim()}`);
  return faults;
}

function stackOf(error: unknown): string {
  return (error instanceof Error && error.stack) || String(error);
}

process.on('message', async (ask: Ask) => process.send!(await open(ask)));
process.send!('ready');
