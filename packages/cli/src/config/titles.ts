import { basename, dirname } from 'node:path';
import { knownSet } from './known-sets.js';
import { paperNet } from './paper-nets.js';
import type { RunConfig } from './run-config.js';

/** What the tables call the methods. */
export const methodTitles: Record<RunConfig['method'], string> = {
  original: 'Original',
  'sparse-vd': 'SparseVD',
  ssl: 'SSL',
  'structured-bp': 'StructuredBP',
};

/** What people call the config's model: one of one's own by its file. */
export function netTitle({ model, scale }: Pick<RunConfig, 'model' | 'scale'>): string {
  const title = paperNet(model)?.title ?? fileTitle(model);
  return scale === undefined ? title : `${title} × ${scale}`;
}

/** What people call its data. */
export const dataTitle = ({ source }: Pick<RunConfig['data'], 'source'>): string =>
  knownSet(source)?.title ?? basename(source);

/** Every model of a web page is a model.json: its folder says which. */
function fileTitle(path: string): string {
  const name = basename(path);
  return name === 'model.json' ? basename(dirname(path)) : name;
}

/** What its data has so many of. */
export const examplesWord = ({ source }: Pick<RunConfig['data'], 'source'>): string =>
  knownSet(source) ? 'image' : 'example';

/** The examples that the error is of. */
export const testedExamples = (data: RunConfig['data']): string =>
  `${data.labels === 'random' ? 'training' : 'test'} ${examplesWord(data)}s`;
