import util, { types } from 'node:util';

const functions: Record<string, (value: unknown) => boolean> = {
  isArray: Array.isArray,
  isBoolean: (value) => typeof value === 'boolean',
  isBuffer: Buffer.isBuffer,
  isDate: types.isDate,
  isError: (value) => types.isNativeError(value) || value instanceof Error,
  isFunction: (value) => typeof value === 'function',
  isNull: (value) => value === null,
  isNullOrUndefined: (value) => value == null,
  isNumber: (value) => typeof value === 'number',
  isObject: (value) => value !== null && typeof value === 'object',
  isPrimitive: (value) => value === null || (typeof value !== 'object' && typeof value !== 'function'),
  isRegExp: types.isRegExp,
  isString: (value) => typeof value === 'string',
  isSymbol: (value) => typeof value === 'symbol',
  isUndefined: (value) => value === undefined,
};

/**
 * Gives `node:util` back the `is*` functions that Node 23 removed: tfjs-node 4.22 calls them. Node 22 still has them
 * but prints a deprecation warning into the middle of a progress bar, so they are replaced there too.
 */
export function supplyRemovedUtil(): void {
  if (Number.parseInt(process.versions.node, 10) >= 22) Object.assign(util, functions);
}
