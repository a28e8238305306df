import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { trainConfigSchema } from './config.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8').replace(/ +/g, ' ');

describe('trainConfigSchema', () => {
  it.each(Object.entries(trainConfigSchema.shape))('says what %s is, as the README has it', (name, field) => {
    const { description } = field;
    expect(description).toMatch(/^\S.{10,240}\.$/);
    const { data } = field.safeParse(undefined);
    expect(readme).toContain(`| \`${name}\` | ${data === undefined ? '' : `\`${data}\` `}| ${description} |`);
  });
});
