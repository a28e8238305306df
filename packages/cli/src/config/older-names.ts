/** What fields were called before: in configs and results of that time they still are. */
const olderNames = new Map([['net', 'model']]);
const olderNamesOfData = new Map([['set', 'source']]);

/** A config with the names that its fields have now; what is no object is left to the schema. */
export function withNewNames(config: unknown): unknown {
  if (!isRecord(config)) return config;
  const { data } = config;
  return renamed({ ...config, ...(isRecord(data) && { data: renamed(data, olderNamesOfData) }) }, olderNames);
}

function renamed(fields: Record<string, unknown>, names: ReadonlyMap<string, string>) {
  const named = Object.entries(fields).map(([key, value]) => {
    const name = names.get(key) ?? key;
    return [name in fields ? key : name, value];
  });
  return Object.fromEntries(named) as Record<string, unknown>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
