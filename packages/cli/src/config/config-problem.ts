import * as z from 'zod';

/**
 * The first thing that is wrong with a config, in one line: where it is, what it is, what was expected; for a field that does
 * not exist, those that do.
 *
 * @param label says where a field was given, such as in which file, by its path with dots
 */
export function configProblem(
  schema: z.ZodType,
  { issues }: z.ZodError,
  input: unknown,
  label: (path: string) => string,
): string {
  // A misspelt field is often missing, too: the misspelling is the thing to say.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!;
  if (issue.code === 'unrecognized_keys') {
    const path = [...issue.path, issue.keys[0]!].join('.');
    return `${label(path)}: there is no such field; there are ${fieldsAt(schema, issue.path).join(', ')}.`;
  }
  const value = issue.path.reduce(
    (at: unknown, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    input,
  );
  return `${label(issue.path.join('.'))} is ${show(value)}; expected ${expected(issue)}.`;
}

function show(value: unknown): string {
  if (value === undefined) return 'not given';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

const kinds: Record<string, string> = {
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  string: 'a string in quotes',
  object: 'an object { … }',
  record: 'an object { … }',
  array: 'a list [ … ]',
};

function expected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return kinds[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.map((value) => `'${String(value)}'`).join(' or ');
    case 'too_small':
      if (issue.origin === 'array' || issue.origin === 'string') return `at least ${issue.minimum} in it`;
      return `a number ${issue.inclusive ? 'of at least' : 'above'} ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'array' || issue.origin === 'string') return `at most ${issue.maximum} in it`;
      return `a number ${issue.inclusive ? 'of at most' : 'below'} ${issue.maximum}`;
    case 'invalid_union':
      return [...new Set(issue.errors.map((branch) => branchOf(branch[0]!)))].join(' or ');
    default:
      return issue.message;
  }
}

/** One of the things that a field may be; what is wrong may be inside of it. */
function branchOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.join('.');
  if (path === '') return expected(issue);
  const kind = typeof issue.path[0] === 'number' ? kinds.array : kinds.object;
  return `${kind} whose ${path} is ${expected(issue)}`;
}

function fieldsAt(schema: z.ZodType, path: PropertyKey[]): string[] {
  let at = unwrap(schema);
  for (const key of path) if (at instanceof z.ZodObject) at = unwrap(at.shape[key as string]);
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return unwrap(schema.unwrap() as z.ZodType);
  return schema;
}
