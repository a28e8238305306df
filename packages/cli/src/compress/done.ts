import { relative } from 'node:path';
import { isLeft, seal, unseal } from '../run/seals.js';
import type { CompressPaths } from './paths.js';

/** What a step leaves: the file that it writes last, and all else. */
export type Left = readonly [done: string, ...others: string[]];

/** Whether a step of a compression has left its files, and they are as they were; what is damaged is said, as it is made anew. */
export const isStepDone = (paths: CompressPaths, left: Left, say: (line: string) => void): boolean =>
  isLeft(paths.folder, stepOf(paths, left), left, say);

/** Remembers what a step has left. */
export const sealStep = (paths: CompressPaths, left: Left): void =>
  seal(paths.folder, stepOf(paths, left), left);

/** Forgets what is about to be taken away. */
export const unsealStep = (paths: CompressPaths, left: Left): void =>
  unseal(paths.folder, stepOf(paths, left));

/** What a compression leaves for who asked for it. */
export const resultOf = ({ result, model, onnx, report }: CompressPaths): Left => [
  result,
  model,
  onnx,
  report,
];

/** What one of its trainings leaves. */
export const trainingOf = ({ done, model, metrics }: CompressPaths['noise']): Left => [done, model, metrics];

/** What a cut leaves. */
export const cutOf = ({ cutDone, cut }: Pick<CompressPaths, 'cut' | 'cutDone'>): Left => [cutDone, cut];

const stepOf = ({ folder }: CompressPaths, [done]: Left) =>
  relative(folder, done)
    .replace(/\.json$/, '')
    .replaceAll(/[/\\]/g, '-');
