import type { Dataset } from '@sbp/data';
import { lossTitle, type Objective, ownTargets } from '@sbp/train';
import type { RunData } from '../run/data/run-data.js';
import { UsageError } from '../words/failure.js';
import { count } from '../words/words.js';
import type { CompressSettings } from './settings.js';

/** What the person is told of a data set, in a line. */
export function dataLine({ train, validation, test }: RunData): string {
  const parts = [
    `${count(train.size)} to train on`,
    ...(validation ? [`${count(validation.size)} held out`] : []),
    `${count(test.size)} to test on`,
  ];
  return parts.join(', ');
}

/** What the targets are, in words; before a teacher has said anything. */
export function targetLine({ targets }: Dataset): string {
  if (targets.length === 0) return 'no labels: the model as it is says what is right';
  return targets
    .map(({ name, kind, shape, classes }) => {
      if (kind === 'classes')
        return `${classes!.length} classes${shape.length > 0 ? ` of ${shape.join('×')} places` : ''}: ${few(classes!)}`;
      return kind === 'labels'
        ? `'${name}', ${shape[0] ?? 1} labels`
        : `'${name}', values${shape.length > 0 ? ` of ${shape.join('×')}` : ''}`;
    })
    .join('; ');
}

/** Which loss each output has, and who says so; and what of the model's file is not taken. */
export function lossLines({ outputs, notes = [] }: Objective): string[] {
  const said = {
    settings: '--loss says so',
    file: "as the model's file was compiled",
    targets: 'by what the data holds',
  };
  const losses = outputs.map((output) => {
    const { name, lossFrom, weight } = output;
    const of = outputs.length > 1 ? `'${name}' ` : '';
    return `${of}${lossTitle(output)}${weight === 1 ? '' : ` × ${weight}`} (${said[lossFrom]})`;
  });
  return [`Loss: ${losses.join(', ')}`, ...notes.map((note) => `  ${note}`)];
}

const few = (names: readonly string[]) =>
  names.length > 12 ? `${names.slice(0, 10).join(', ')}, … ${names.at(-1)}` : names.join(', ');

/**
 * What an error would be that is got without looking: always the class that most examples have, or the mean of the values.
 *
 * @returns undefined where nothing can be said
 */
export function chanceError({ targets, size }: Dataset): number | undefined {
  const own = ownTargets(targets);
  const [target] = own;
  if (own.length !== 1 || !target || 'file' in target.values) return undefined;
  const { values, kind } = target;
  if (kind === 'classes') {
    const counts = new Map<number, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    return 100 * (1 - Math.max(...counts.values()) / values.length);
  }
  if (kind === 'labels') return undefined;
  const length = values.length / size;
  let squares = 0;
  for (let k = 0; k < length; k++) {
    let [sum, square] = [0, 0];
    for (let i = k; i < values.length; i += length) {
      sum += values[i]!;
      square += values[i]! ** 2;
    }
    squares += square / size - (sum / size) ** 2;
  }
  return Math.sqrt(squares / length);
}

/** @throws UsageError where the model as it is does no better than chance on its data */
export function checkBetterThanChance(
  error: number,
  measure: string,
  data: Dataset,
  settings: CompressSettings,
): void {
  const chance = chanceError(data);
  // a mean absolute error has another scale than what is worked out
  if (chance === undefined || measure.startsWith('mean absolute') || error < chance) return;
  const classes = data.targets.find(({ kind }) => kind === 'classes')?.classes;
  const order = classes
    ? ` are the classes in the order of the model's outputs (now ${few(classes)}; --classes says another)?`
    : '';
  throw new UsageError(
    `the model is no better than chance on this data before anything is done to it (${measure} ${error.toPrecision(4)}; chance is ${chance.toPrecision(4)}):${order} Is the scale that of its training (--normalize ${settings.normalize ?? 'none'} now)?`,
  );
}
