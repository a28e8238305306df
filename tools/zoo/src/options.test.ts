import { expect, it } from 'vitest';
import { allNames, parseOptions } from './options.js';

it('takes all networks, or those that are named in any case', () => {
  expect(parseOptions([]).only).toEqual(allNames);
  expect(allNames).toHaveLength(13);
  expect(parseOptions(['--', '--only', 'resnet50, VGG16']).only).toEqual(['ResNet50', 'VGG16']);
});
