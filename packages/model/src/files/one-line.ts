/** Room for a path, a name and what to do; what is beyond is of no help. */
const longest = 400;

/** Text for a terminal: line ends as spaces, characters that can't be seen as escapes, cut where it is long. */
export function oneLine(text: string, limit = longest): string {
  const line = cut(text, 4 * limit)
    .trim()
    .replaceAll(/\s*[\r\n]+\s*/g, ' ')
    .replaceAll(
      /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu,
      (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
    );
  return cut(line, limit);
}

/** A name from a file, in quotes. */
export function quoted(name: string): string {
  return `'${oneLine(name, 80)}'`;
}

/** A path of any length: its end says which file. */
export function shownPath(path: string): string {
  return path.length <= 120 ? path : `…${path.slice(-119)}`;
}

/** A few of many. */
export function listed(names: readonly string[], most = 3): string {
  const some = names.slice(0, most).map((name) => oneLine(name, 80));
  return names.length > most ? `${some.join(', ')} and ${names.length - most} more` : some.join(' and ');
}

/** A value from a file, as JSON. */
export function shownValue(value: unknown): string {
  if (value === undefined) return 'not there';
  if (Array.isArray(value) && value.length > 20) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 20) return 'an object';
  try {
    return oneLine(JSON.stringify(value), 60);
  } catch {
    return `a ${typeof value}`;
  }
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}
