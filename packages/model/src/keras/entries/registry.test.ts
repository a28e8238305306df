import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { refused } from './refused.js';
import { entries } from './registry.js';

/** Bases of others, parts of layers, and what the walk itself knows: models and their inputs. */
const noLayers = new Set(
  'Layer Wrapper InputLayer AbstractRNNCell StackedRNNCells LSTMCell GRUCell SimpleRNNCell'.split(' '),
);

function classesOf(tag: string): string[] {
  const path = fileURLToPath(new URL(`../../../testdata/${tag}.json.gz`, import.meta.url));
  return JSON.parse(gunzipSync(readFileSync(path)).toString()).classes;
}

describe.each(['keras2', 'keras3'])('every layer class that %s has', (tag) => {
  it.each(classesOf(tag).filter((name) => !noLayers.has(name)))(
    '%s is read, or refused with the next step',
    (name) => {
      const [isRead, isRefused] = [Object.hasOwn(entries, name), Object.hasOwn(refused, name)];
      expect([isRead, isRefused]).toContain(true);
      expect(isRead && isRefused).toBe(false);
    },
  );
});
