/** What is read of a zod schema. */
export interface Schema {
  readonly description?: string | undefined;
  readonly def: { readonly type: string; readonly innerType?: unknown; readonly out?: unknown };
  readonly shape?: Readonly<Record<string, Schema>>;
  safeParse(value: unknown): { success: boolean; data?: unknown };
}

/** A field as a README tells it. */
export interface FieldRow {
  field: string;
  /** In JSON, or a string as it is; empty where there is none. */
  default: string;
  meaning: string;
}

/**
 * A config's fields with their own defaults and descriptions: those of objects that are always there as `object.field`, after the object itself.
 *
 * @param elsewhere schemas of objects whose fields another table has
 */
export function fieldRows(schema: Schema, elsewhere: readonly Schema[] = [], prefix = ''): FieldRow[] {
  return Object.entries(objectIn(schema)?.shape ?? {}).flatMap(([key, field]) => {
    const name = `${prefix}${key}`;
    const meaning = field.description ?? '';
    const inner = field.def.type === 'prefault' ? objectIn(field) : undefined;
    if (!inner) return [{ field: name, default: shown(field.safeParse(undefined).data), meaning }];
    const whole = { field: name, default: '', meaning };
    return elsewhere.includes(inner) ? [whole] : [whole, ...fieldRows(inner, elsewhere, `${name}.`)];
  });
}

/** The same as a table in Markdown, in columns as the formatter has them. */
export function fieldTable(schema: Schema, elsewhere: readonly Schema[] = []): string {
  const code = (text: string) => text && `\`${text}\``;
  const rows = [
    ['field', 'default', 'meaning'],
    ...fieldRows(schema, elsewhere).map((row) => [code(row.field), code(row.default), row.meaning]),
  ];
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i]!.length)));
  const [head, ...body] = rows.map((row) => line(row.map((cell, i) => cell.padEnd(widths[i]!))));
  return [head, line(widths.map((width) => `:${'-'.repeat(width - 1)}`)), ...body].join('\n');
}

const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** The object that a schema is behind defaults and what happens before it. */
function objectIn(schema: Schema): Schema | undefined {
  const { type, innerType, out } = schema.def;
  if (type === 'object') return schema;
  const inner = (type === 'pipe' ? out : innerType) as Schema | undefined;
  return inner && objectIn(inner);
}

function shown(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
