import type * as z from 'zod';
import { oneLine, shownValue } from './one-line.js';

const kinds: Record<string, string> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a string',
  object: 'an object { … }',
  record: 'an object { … }',
  array: 'a list [ … ]',
  tuple: 'a list [ … ]',
};

/**
 * The first thing that is wrong in a file: where it is, what it is and what was expected, as in
 * `weightsManifest[0].weights[2].shape[0] is 8.5; expected a whole number`.
 *
 * @param at where in the file `input` stands, such as `config.layers`
 */
export function problemOf({ issues }: z.ZodError, input: unknown, at = ''): string {
  const { path, expected } = innermost(issues[0]!);
  const value = path.reduce(
    (value: unknown, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    input,
  );
  return `${placeOf(path, at)} is ${shownValue(value)}; expected ${expected}`;
}

/** As people write it who look for it in the file. */
function placeOf(path: readonly PropertyKey[], at: string): string {
  const place = path.reduce<string>(
    (text, key) => `${text}${typeof key === 'number' ? `[${key}]` : `${text && '.'}${String(key)}`}`,
    at,
  );
  return oneLine(place || 'the file', 120);
}

/** Of the things that a field may be, the one that the input came closest to. */
function innermost(issue: z.core.$ZodIssue): { path: PropertyKey[]; expected: string } {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0)
    return { path: issue.path, expected: expectedBy(issue) };
  const inner = issue.errors
    .map((branch) => innermost(branch[0]!))
    .sort((a, b) => b.path.length - a.path.length);
  const closest = inner.filter(({ path }) => path.length === inner[0]!.path.length);
  return {
    path: [...issue.path, ...closest[0]!.path],
    expected: [...new Set(closest.map(({ expected }) => expected))].join(' or '),
  };
}

function expectedBy(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return kinds[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.map((value) => `'${String(value)}'`).join(' or ');
    case 'too_small':
      return issue.origin === 'array' || issue.origin === 'string'
        ? `at least ${issue.minimum} in it`
        : `a number of at least ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'array' || issue.origin === 'string'
        ? `at most ${issue.maximum} in it`
        : `a number of at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}
