import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../../data-error.js';
import { growing } from '../grow.js';
import { inputSpecs } from '../options.js';
import { type Context, counted, type Opened, type PartName, type RawPart, shown, some } from '../raw.js';
import type { Source } from './source.js';

const isTable = (name: string) => /\.(csv|tsv)$/i.test(name);
const part = /^(train|training|validation|valid|val|test)\.(csv|tsv)$/i;

/** Tables as text, with a line of names: one file, or train.csv, test.csv and perhaps validation.csv in a folder. */
export const csv: Source = {
  what: 'a table (.csv, .tsv)',
  claims: ({ path, folder, names }) => (folder ? names.some((name) => part.test(name)) : isTable(path)),
  async open({ path, folder, names }, options, context) {
    const opened: Opened = { parts: {}, notes: [] };
    const files = folder ? names.filter((name) => part.test(name)).map((name) => join(path, name)) : [path];
    let first: Table | undefined;
    for (const file of files) {
      const table = await readTable(file, options, context);
      if (first && table.columns.join() !== first.columns.join())
        throw new DataError(
          `${file}: expected the columns of ${files[0]} (${some(first.columns)}), found ${some(table.columns)}`,
          file,
        );
      first ??= table;
      const named = folder ? part.exec(file.slice(path.length + 1))![1]!.toLowerCase() : 'all';
      const name = named.startsWith('val') ? 'validation' : named.startsWith('train') ? 'train' : named;
      if (table.left > 0)
        opened.notes.push(
          `${file}: left out ${counted(table.left, 'broken row')}, the first: ${table.firstBroken}`,
        );
      opened.parts[name as PartName | 'all'] = table.part;
    }
    const { inputs, labels } = first!;
    opened.notes.push(
      `${inputs.length} columns are given to the network: ${some(inputs)}; ${labels.length > 0 ? `to be predicted: ${some(labels)}` : "no column is named as 'label', so there are no labels"}`,
    );
    return opened;
  },
};

interface Table {
  columns: string[];
  inputs: string[];
  labels: string[];
  part: RawPart;
  /** Rows that were left out. */
  left: number;
  firstBroken: string;
}

const LONGEST_LINE = 2 ** 24;

async function readTable(
  file: string,
  options: Parameters<Source['open']>[1],
  { memory, scratch }: Context,
): Promise<Table> {
  const fail = (message: string): never => {
    throw new DataError(`${file}:${message}`, file);
  };
  const { parse } = await import('csv-parse');
  const delimiter = await delimiterOf(file);
  const rows = createReadStream(file).pipe(
    parse({
      bom: true,
      delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
      info: true,
      trim: true,
      max_record_size: LONGEST_LINE,
    }),
  );
  const wanted = options.label === undefined ? [] : [options.label].flat();
  let columns: string[] | undefined;
  let [labelAt, inputAt]: [number[], number[]] = [[], []];
  const type = inputSpecs(options)[0]?.dtype === 'int32' ? 'int32' : 'float32';
  const inputs = growing(type, memory, scratch, file);
  const labels: string[][] = [];
  const lines: number[] = [];
  let left = 0;
  let firstBroken = '';
  // So far: the lines whose end was read.
  let line = 1;
  const row = new Float64Array(1 << 16);
  try {
    for await (const { record, info } of rows as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      line = info.lines;
      if (!columns) {
        columns = record;
        if (record.every((cell) => isNumber(cell)))
          fail(`${line}: expected a line with the columns' names, found numbers; add one`);
        const twice = record.find((name, i) => record.indexOf(name) < i);
        if (twice !== undefined)
          fail(`${line}: two columns are named '${shown(twice)}'; give each its own name`);
        labelAt = wanted.map((name) => {
          const at = record.indexOf(name);
          if (at < 0)
            fail(`${line}: expected a column '${shown(name)}' to predict, found ${some(record, 8)}`);
          return at;
        });
        inputAt = record.map((_, i) => i).filter((i) => !labelAt.includes(i));
        if (inputAt.length === 0) fail(`${line}: expected columns beside those to predict, found none`);
        if (inputAt.length > row.length)
          fail(`${line}: expected at most ${row.length} columns, found ${inputAt.length}`);
        continue;
      }
      const broken = brokenRow(record, columns, inputAt, labelAt, type === 'int32', row);
      if (broken) {
        const message = `${file}:${line}: ${broken}`;
        if (!options.skipBroken)
          fail(`${line}: ${broken}; mend the row, or leave broken ones out (skipBroken, --skip-broken)`);
        if (left++ === 0) firstBroken = message;
        continue;
      }
      inputs.append(row.subarray(0, inputAt.length));
      labels.push(labelAt.map((at) => record[at]!));
      lines.push(line);
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    fail(`${line + 1}: can't be read as a table (${shown((error as Error).message)})`);
  }
  if (!columns || lines.length === 0)
    return fail(
      ` expected a line of names and at least one row of numbers, found ${left > 0 ? `only broken rows, the first: ${firstBroken}` : 'none'}`,
    );
  const where = (example: number) => `${file}:${lines[example]}`;
  const { length } = inputAt;
  const input = {
    ...{ name: 'x', size: lines.length, shape: [length], dtype: type as typeof type, where },
    pieces: () => inputs.pieces(length),
  };
  return {
    ...{ columns, left, firstBroken },
    inputs: inputAt.map((at) => columns![at]!),
    labels: wanted as string[],
    part: {
      inputs: [input],
      targets:
        labelAt.length > 0
          ? [labelArray(labels, labelAt.length, wanted.length === 1 ? wanted[0]! : 'label', where)]
          : [],
    },
  };
}

/** What is wrong with a row, if anything; else its numbers are in `row`. */
function brokenRow(
  record: string[],
  columns: string[],
  inputAt: number[],
  labelAt: number[],
  whole: boolean,
  row: Float64Array,
): string | undefined {
  if (record.length !== columns.length) return `expected ${columns.length} cells, found ${record.length}`;
  for (const [i, at] of inputAt.entries()) {
    const cell = record[at]!;
    if (!isNumber(cell))
      return `expected a number in column '${shown(columns[at]!)}', found ${cell === '' ? 'nothing' : `'${shown(cell)}'`}`;
    row[i] = Number(cell);
    if (whole && (row[i]! | 0) !== row[i])
      return `expected a whole number in column '${shown(columns[at]!)}', found ${shown(cell)}`;
  }
  for (const at of labelAt) {
    const cell = record[at]!;
    if (cell === '' || (labelAt.length > 1 && !isNumber(cell)))
      return `expected a ${labelAt.length > 1 ? 'number' : 'label'} in column '${shown(columns[at]!)}', found ${cell === '' ? 'nothing' : `'${shown(cell)}'`}`;
  }
  return undefined;
}

/** Numbers where all labels are some, whole ones as int32; else text. */
function labelArray(labels: string[][], width: number, name: string, where: (example: number) => string) {
  const shape = width === 1 ? [] : [width];
  const common = { name, size: labels.length, shape, where };
  const flat = labels.flat();
  if (!flat.every(isNumber)) return { ...common, dtype: 'int32' as const, texts: flat, async *pieces() {} };
  const numbers = flat.map(Number);
  const ints = numbers.every((number) => (number | 0) === number);
  const values = ints ? Int32Array.from(numbers) : Float32Array.from(numbers);
  return {
    ...common,
    dtype: ints ? ('int32' as const) : ('float32' as const),
    async *pieces() {
      yield values;
    },
  };
}

/** A finite number as people write it; '', 'NaN', '0x10' and 'Infinity' are none. */
function isNumber(cell: string): boolean {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell) && Number.isFinite(Math.fround(Number(cell)));
}

/** What stands between the names: a comma, a semicolon or a tab, whichever is most often in the first line. */
async function delimiterOf(file: string): Promise<string> {
  let start = '';
  for await (const chunk of createReadStream(file, { encoding: 'utf8', end: 1 << 16 })) start += chunk;
  const line = start.split(/\r?\n/, 1)[0]!;
  const count = (mark: string) => line.split(mark).length;
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}
