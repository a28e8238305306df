import { expect, it } from 'vitest';
import { parseOptions } from './options.js';

it('measures everything unless it is told less', () => {
  expect(parseOptions([])).toMatchObject({
    tables: ['speed', 'noise', 'growth', 'memory'],
    networks: ['lenet-fc', 'lenet5', 'vgg'],
    engines: ['tensorflow', 'wasm'],
    peers: ['pytorch', 'tensorflow'],
  });
});

it('reads lists, numbers and what pnpm leaves in front', () => {
  const options = parseOptions([
    '--',
    '--tables',
    'noise',
    '--engines',
    'wasm',
    '--peers',
    'none',
    '--seconds',
    '0.5',
  ]);
  expect(options).toMatchObject({ tables: ['noise'], engines: ['wasm'], peers: [], seconds: 0.5 });
});
