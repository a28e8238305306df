import type { Cost, CostTarget, Target } from '@sbp/prune';
import type * as tf from '@tensorflow/tfjs';
import { UsageError } from '../../words/failure.js';
import { costKind } from './cost.js';
import { error } from './error.js';
import type { CutModel, CutOptions, SteerTo, TargetKind } from './kind.js';
import { type Latency, latency } from './latency.js';
import { timeTarget } from './layer-times.js';

/** What a compression can be asked for, by the name that it has on the command line. */
const kinds: Readonly<Record<string, TargetKind<unknown>>> = {
  macs: costKind('macs', 'macs=0.4 (a fraction of before, or a number above 1)'),
  params: costKind('params', 'params=0.3'),
  bytes: costKind('bytes', 'bytes=500000'),
  latency,
  error,
};

/** One of them, with what is asked of it. */
export type CompressTarget = CostTarget | { latency: Latency } | { error: number };

/** A target as it is given on the command line: macs=0.4, latency=5ms@onnxruntime:1. @throws UsageError */
export function parseTarget(text: string): CompressTarget {
  const [, name, value] = /^([a-z]+)=(.+)$/.exec(text.trim()) ?? [];
  if (Object.hasOwn(kinds, name!)) {
    const options = kindOf(name!).parse(value!);
    if (options !== undefined) return { [name!]: options } as unknown as CompressTarget;
  }
  const examples = Object.values(kinds).map(({ example }) => example);
  throw new UsageError(
    `--target ${text}: expected ${examples.slice(0, -1).join(', ')} or ${examples.at(-1)}.`,
  );
}

/** The same as it was given. */
export function targetWords(target: CompressTarget): string {
  const { name, kind, options } = split(target);
  return `${name}=${kind.words(options)}`;
}

/** Whether there are targets on the way to this one. */
export const hasParts = (target: CompressTarget): boolean => split(target).kind.partly !== undefined;

/** A target on the way to another that {@link hasParts}. @param whole costs before anything was cut */
export function partly(target: CompressTarget, way: number, whole: Cost): CompressTarget {
  const { name, kind, options } = split(target);
  return { [name]: kind.partly!(options, way, whole) } as unknown as CompressTarget;
}

/** What noise is steered to for a target. @throws as its kind does */
export function steerTo(
  target: CompressTarget,
  noisy: tf.LayersModel,
  how: Pick<CutOptions, 'gather'>,
): Promise<SteerTo> {
  const { kind, options } = split(target);
  return kind.steerTo(options, noisy, how);
}

/** As @sbp/prune takes it. */
export const steered = (to: SteerTo): Target => ('times' in to ? timeTarget(to) : to);

/** Cuts a trained model to its target. @throws as its kind does */
export function cutTo(target: CompressTarget, trained: tf.LayersModel, how: CutOptions): Promise<CutModel> {
  const { kind, options } = split(target);
  return kind.cut(options, trained, how);
}

const kindOf = (name: string) => kinds[name]!;

function split(target: CompressTarget): { name: string; kind: TargetKind<unknown>; options: unknown } {
  const [[name, options]] = Object.entries(target) as [[string, unknown]];
  return { name, kind: kindOf(name), options };
}
