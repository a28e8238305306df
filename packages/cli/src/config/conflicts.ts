import { knownSet, knownSetNames } from './known-sets.js';
import { netsWith, paperNet, paperNetNames } from './paper-nets.js';
import type { RunConfig } from './run-fields.js';

/** What a field may not be beside others: where, and what was expected. */
export function* conflicts(config: RunConfig): Generator<[path: string[], expected: string]> {
  const { method, noise, fineTune } = config;
  yield* modelConflicts(config);
  yield* dataConflicts(config);
  if (noise.bounds && noise.bounds.a >= noise.bounds.b) yield [['noise', 'bounds'], 'a below b'];
  if (fineTune && method === 'original')
    yield [['fineTune'], "left out: nothing is cut from the method 'original'"];
}

function* modelConflicts({
  model,
  scale,
  method,
  dropout,
  freezeBatchNorm,
  from,
  train,
  fineTune,
}: RunConfig): ReturnType<typeof conflicts> {
  const net = paperNet(model);
  if (scale !== undefined && !net?.scales) yield [['scale'], `left out: only ${netsWith('scales')} has one`];
  if (dropout && !net?.dropout) yield [['dropout'], `left out: only ${netsWith('dropout')} has it`];
  if (!net) {
    if (method !== 'structured-bp' && method !== 'original')
      yield [
        ['method'],
        `'structured-bp' or 'original': ${method} is for the paper's networks (${paperNetNames.join(', ')}) alone`,
      ];
    return;
  }
  for (const [field, training] of Object.entries({ train, fineTune }))
    if (training?.distillation)
      yield [
        [field, 'distillation'],
        "left out: the model as it is teaches, and the paper's networks have learned nothing then",
      ];
  if (freezeBatchNorm && !net.batchNorm)
    yield [['freezeBatchNorm'], `left out: only ${netsWith('batchNorm')} has batch norm`];
  else if (freezeBatchNorm && from === undefined)
    yield [['freezeBatchNorm'], "left out, or 'from' given: an untrained network has no statistics to keep"];
}

function* dataConflicts({ model, data }: RunConfig): ReturnType<typeof conflicts> {
  const set = knownSet(data.source);
  if (!set) {
    for (const field of ['folder', 'validation'] as const)
      if (data[field] !== undefined)
        yield [['data', field], `left out: only ${knownSetNames.join(' and ')} have it`];
    if (data.augment === true) yield [['data', 'augment'], 'a list of flip, crop, color, cutout'];
    return;
  }
  const net = paperNet(model);
  if (net && net.images !== data.source)
    yield [['data', 'source'], `'${net.images}', the images that '${model}' takes, or a path`];
  for (const field of ['label', 'classes', 'normalize', 'skipBroken'] as const)
    if (data[field]) yield [['data', field], `left out: ${data.source} is read as it is published`];
  if (data.augment && !set.augments)
    yield [
      ['data', 'augment'],
      `false: only the images of ${knownSetNames
        .filter((name) => knownSet(name)?.augments)
        .map((name) => `'${name}'`)
        .join(', ')} are augmented`,
    ];
  else if (Array.isArray(data.augment))
    yield [['data', 'augment'], `true or false: ${data.source} is augmented as published`];
  const most = set.trainExamples;
  if ((data.trainExamples ?? 0) > most)
    yield [['data', 'trainExamples'], `at most ${most}, as ${data.source} has no more`];
  const examples = data.trainExamples ?? most;
  if ((data.validation ?? 0) >= examples)
    yield [['data', 'validation'], `less than the ${examples} training images that it is taken from`];
}
