import { CompileError } from './error.js';
import type { Node } from './record.js';
import { lineOf } from './source-line.js';
import type { Trace } from './trace.js';

/** What a function did, in a form that can be kept and compared with what it does another time. */
export interface Fingerprint {
  nodes: string[];
  results: string;
}

export function fingerprintOf({ nodes, structure, results, assigned, consumed }: Trace): Fingerprint {
  return {
    nodes: nodes.map(nodePrint),
    results: JSON.stringify([structure, results, assigned, consumed]),
  };
}

function nodePrint({ op, inputs, attrs, outputs, bytes }: Node): string {
  const print = `${op} ${inputs} ${JSON.stringify([attrs, outputs])}`;
  if (!bytes) return print;
  return `${print} ${process.getBuiltinModule('node:crypto').createHash('sha256').update(bytes).digest('base64')}`;
}

/**
 * @param before what the function did another time
 * @param now what it does now
 * @throws CompileError where the two are not the same
 */
export function assertSame(before: Fingerprint, now: Trace): void {
  const { nodes, results } = fingerprintOf(now);
  const first = nodes.findIndex((print, i) => print !== before.nodes[i]);
  const node = now.nodes[first];
  if (!node) {
    if (nodes.length === before.nodes.length && results === before.results) return;
    throw new CompileError(
      'differs',
      `the function ${nodes.length < before.nodes.length ? 'stops earlier' : 'gives something else'} when it is called again with inputs of the same shapes: it must depend on its arguments alone.`,
    );
  }
  if (node.bytes && before.nodes[first]?.startsWith('Const ')) throw changedConstant(node, now.nodes);
  const line = lineOf(node.site);
  const was = before.nodes[first]?.split(' ', 1)[0];
  const change =
    was === node.op ? `with other attributes or inputs` : `where it ran ${was ?? 'nothing'} before`;
  throw new CompileError(
    'differs',
    `called again with inputs of the same shapes, the function runs ${node.op}${line ? ` at ${line}` : ''} ${change}: it must depend on its arguments alone, so make random numbers, counters and clocks outside and pass them as tensors.`,
    { op: node.op, line },
  );
}

function changedConstant(node: Node, nodes: Node[]): CompileError {
  const reader = nodes.find(({ inputs }) => inputs.includes(node.name));
  const made = lineOf(node.site);
  const line = (reader && lineOf(reader.site)) ?? made;
  const where = reader ? `that ${reader.op}${line ? ` at ${line}` : ''} reads` : 'that the function gives';
  const origin = made && (!reader || made !== line) ? `, made at ${made},` : '';
  return new CompileError(
    'differs',
    `the numbers of a tensor [${node.outputs[0]?.shape}] ${where}${origin} are others each time the function is called (random numbers, a counter, a clock, a number that changes outside?), and a graph would freeze them: make them outside and pass them as an argument.`,
    { op: reader?.op, line },
  );
}
