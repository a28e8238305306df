import type { Column, Spread } from '@sbp/bench';
import { filesOf } from './make.js';
import { type Network, networks, type Published } from './networks.js';
import { type Difference, type Found, isFound, type Result } from './result.js';

/** Outputs agree where they differ by less, relative to the largest. */
export const TOLERANCE = 1e-4;
/** What `withNoise` may change before anything is trained, in probability. */
const UNCHANGED = 1e-5;

const agrees = ({ relative }: Difference): boolean => relative <= TOLERANCE;

/** Least difference between two images' outputs that a comparison has to see, relative to the largest. */
const CONTRAST = 0.01;

/** A count meets a published figure where it is within 1 % of it or rounds to it. */
export const meets = (macs: number, { macs: published, unit }: Published): boolean =>
  Math.abs(macs - published) <= Math.max(unit / 2, published / 100);

/** What is to be so, for each network. */
export const promises = {
  'all files open': ({ name, opened = {} }: Result) => {
    const { broken = {} }: Network = networks[name];
    const wanted = Object.keys(filesOf(name).sources).filter((source) => !broken[source]);
    return wanted.map((source) => opened[source]).every((file) => isFound(file) && agrees(file));
  },
  'counted right': ({ name, small, published }: Result) =>
    isFound(small) &&
    isFound(published) &&
    [small, published].every(({ macs, tensorflow }) => macs === tensorflow) &&
    meets(published.macs, networks[name].published),
  exported: ({ exported }: Result) => isFound(exported) && agrees(exported),
  'cut exactly': ({ cut }: Result) =>
    isFound(cut) && cut.unchanged.absolute <= UNCHANGED && cut.contrast >= CONTRAST && agrees(cut.agrees),
  'cut exported': ({ cutExported }: Result) => isFound(cutExported) && agrees(cutExported),
} satisfies Record<string, (result: Result) => boolean>;

/** Each promise with the networks that keep it. */
export function kept(results: readonly Result[]): string[] {
  return Object.entries(promises).map(([promise, holds]) => {
    const without = results.filter((result) => !holds(result)).map(({ name }) => name);
    const count = `${results.length - without.length} of ${results.length}`;
    return `${promise}: ${count}${without.length > 0 ? ` (not ${without.join(', ')})` : ''}`;
  });
}

/** Why there is no figure, one line each. */
export function failures(results: readonly Result[]): string[] {
  return results.flatMap(({ name, died, opened, small, exported, cut, cutExported, published }) => {
    const steps = {
      ...opened,
      counting: small,
      ONNX: exported,
      cut,
      'ONNX of the cut': cutExported,
      'published size': published,
    };
    const failed = Object.entries(steps).flatMap(([step, value]) =>
      value === undefined || isFound(value) ? [] : [`${name}, ${step}: ${value.failure}`],
    );
    return died === undefined ? failed : [...failed, `${name}: ${died}`];
  });
}

interface OpenRow {
  network: string;
  'converter of Keras 2': string;
  'converter of Keras 3': string;
  'Keras 2 .h5': string;
  '.keras': string;
  '.h5': string;
  ONNX: string;
}

/** Largest difference from Keras's outputs, by kind of file; and of the ONNX file in ONNX Runtime. */
export function openRows(results: readonly Result[]): OpenRow[] {
  return results.map(({ name, opened = {}, exported }) => {
    const { size, broken = {} }: Network = networks[name];
    const of = (source: string) => (broken[source] ? '–' : written(opened[source]));
    return {
      network: `${name} ${sizeOf(size)}`,
      ...{ 'converter of Keras 2': of('converter'), 'converter of Keras 3': of('converter of Keras 3') },
      ...{ 'Keras 2 .h5': of('Keras 2 .h5'), '.keras': of('.keras'), '.h5': of('.h5') },
      ONNX: written(exported),
    };
  });
}

/** Why a file that was made so was not opened, one line each. */
export function brokenFiles(results: readonly Result[]): string[] {
  return results.flatMap(({ name }) =>
    Object.entries((networks[name] as Network).broken ?? {}).map(
      ([source, why]) => `${name}, ${source}: ${why}.`,
    ),
  );
}

/** Multiply-accumulates at the published size. */
export function countRows(results: readonly Result[]) {
  return results.map(({ name, published: counted }) => {
    const { published, publishedSize }: Network = networks[name];
    const network = `${name} ${sizeOf(publishedSize)}`;
    const source = { published: short(published.macs, published.unit), source: published.source };
    if (!isFound(counted)) return { network, MACs: written(counted), ...source };
    const { macs, tensorflow } = counted;
    return {
      ...{ network, MACs: macs.toLocaleString('en-US') },
      "TensorFlow's graph": macs === tensorflow ? 'the same' : tensorflow.toLocaleString('en-US'),
      ...source,
      apart: `${((100 * (macs - published.macs)) / published.macs).toFixed(1)} %`,
    };
  });
}

interface CutRow {
  network: string;
  noises?: number;
  'withNoise changes'?: string;
  'images apart'?: number;
  groups?: string;
  agrees?: string;
  'in ONNX Runtime'?: string;
  MACs?: string;
  reduction?: number;
  speedup?: Spread;
}

/** What half of the groups less makes of it. */
export function cutRows(results: readonly Result[]): CutRow[] {
  return results.map(({ name, cut, cutExported }) => {
    const network = `${name} ${sizeOf(networks[name].size)}`;
    if (!isFound(cut)) return { network, agrees: written(cut) };
    const { widths, macs } = cut;
    return {
      ...{
        network,
        noises: cut.noises,
        'withNoise changes': `${cut.unchanged.absolute.toExponential(1)}${cut.unchanged.absolute <= UNCHANGED ? '' : ' ✗'}`,
      },
      'images apart': cut.contrast,
      groups: `${widths.before.toLocaleString('en-US')} → ${widths.after.toLocaleString('en-US')}`,
      ...{ agrees: written(cut.agrees), 'in ONNX Runtime': written(cutExported) },
      MACs: `${millions(macs.before)} → ${millions(macs.after)}`,
      ...{
        reduction: macs.before / macs.after,
        speedup: isFound(cutExported) ? cutExported.speedup : undefined,
      },
    };
  });
}

export const cutColumns: Column<CutRow>[] = [
  { key: 'network' },
  { key: 'noises' },
  { key: 'withNoise changes' },
  { key: 'images apart', digits: 2 },
  { key: 'groups' },
  { key: 'agrees', title: 'cut − noisy' },
  { key: 'in ONNX Runtime' },
  { key: 'MACs', title: 'MACs, M' },
  { key: 'reduction', digits: 2, unit: '×' },
  { key: 'speedup', title: 'ONNX Runtime (quartiles)', digits: 2, unit: '×' },
];

const sizeOf = (size: number) => `${size}²`;
const millions = (macs: number) => (macs / 1e6).toFixed(1);

/** In M or G, with the digits that the unit has. */
function short(macs: number, unit: number): string {
  const [scale, letter] = macs < 1e9 && unit < 1e7 ? [1e6, 'M'] : [1e9, 'G'];
  return `${(macs / scale).toFixed(Math.max(0, Math.round(Math.log10(scale / unit))))} ${letter}`;
}

function written(value: Found<Difference> | undefined): string {
  if (value === undefined) return 'not reached';
  if (!isFound(value)) return '✗';
  return `${value.relative.toExponential(1)}${agrees(value) ? '' : ' ✗'}`;
}
