import { UsageError } from '../../words/failure.js';
import type { Value } from './values.js';

/** What varies, by its path, with what a run has of it. */
export type Assignment = ReadonlyMap<string, Value>;

/** Folders take 255 bytes, with what is put behind names while they are written. */
const LONGEST = 200;

/** A run's name: the stage's own with each {part} replaced, or the stage's and all that varies. @throws UsageError */
export function runName(
  place: string,
  stage: string,
  template: string | undefined,
  assignment: Assignment,
): string {
  const parts = shortNames([...assignment.keys()]);
  const name =
    template?.replaceAll(/\{([^{}]*)\}/g, (_, key: string) => {
      const found = [...assignment].find(([path]) => path === key || parts.get(path) === key);
      if (found) return found[1].text;
      const there = [...parts.values()].map((part) => `{${part}}`).join(', ');
      throw new UsageError(
        `${place}.name has {${key}}, which does not vary there; ${there ? `there are ${there}` : 'nothing does'}.`,
      );
    }) ?? [stage, ...[...assignment].map(([path, value]) => tag(parts.get(path)!, value))].join('-');
  if (!/^\w[\w.-]*$/.test(name))
    throw new UsageError(
      `${place}.name makes '${name.slice(0, 60)}'; expected letters, digits, . _ - and {…} only, as it names a folder.`,
    );
  if (name.length > LONGEST)
    throw new UsageError(
      `${place}: the run ${name.slice(0, 40)}… would have a name of ${name.length} characters; expected at most ${LONGEST}: give the stage a shorter "name", such as "${stage}-{${[...parts.values()][0]}}".`,
    );
  return name;
}

/** The last parts of paths, where they are different. */
export function shortNames(paths: readonly string[]): ReadonlyMap<string, string> {
  const last = (path: string) => path.slice(path.lastIndexOf('.') + 1);
  const isAlone = (path: string) => paths.filter((other) => last(other) === last(path)).length === 1;
  return new Map(paths.map((path) => [path, isAlone(path) ? last(path) : path]));
}

/** Words speak for themselves, numbers do not. */
const tag = (part: string, { value, text }: Value) =>
  typeof value === 'string' && /^[A-Za-z]/.test(text) ? text : `${part}${text}`;
