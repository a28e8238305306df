import { describe, expect, it } from 'vitest';
import { trainConfigSchema } from './config.js';

describe('trainConfigSchema', () => {
  it.each(Object.entries(trainConfigSchema.shape))('says what %s is, in one line', (_, { description }) => {
    expect(description).toMatch(/^\S.{10,240}[^.\s]$/);
  });
});
