import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runConfigSchema } from '@sbp/cli';
import { trainConfigSchema } from '@sbp/train';
import { root } from '../workspace.js';
import { fieldTable, type Schema } from './field-table.js';

/** The READMEs that tell a config's fields, and whose. */
export const documented: readonly { name: string; schema: Schema; elsewhere?: readonly Schema[] }[] = [
  { name: '@sbp/train', schema: trainConfigSchema },
  { name: '@sbp/cli', schema: runConfigSchema, elsewhere: [trainConfigSchema] },
];

const block = /(?<=<!-- fields: by npm run fields -->\n\n)[\s\S]*?(?=\n\n<!-- \/fields -->)/;

export const readmeOf = (name: string): string =>
  join(root, 'packages', name.replace('@sbp/', ''), 'README.md');

/** A package's README as it is, and as it is with the table of its config's fields. @throws where it has no place for one */
export function readmeWithFields({ name, schema, elsewhere }: (typeof documented)[number]): {
  is: string;
  should: string;
} {
  const is = readFileSync(readmeOf(name), 'utf8');
  if (!block.test(is))
    throw new Error(`${readmeOf(name)} has no <!-- fields: by npm run fields --> … <!-- /fields -->`);
  return { is, should: is.replace(block, () => fieldTable(schema, elsewhere)) };
}
