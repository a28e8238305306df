import { ModelError } from '../../errors.js';
import { type LayerSpec, type ModelSpec, refsIn, type TensorRef } from '../topology/spec.js';

/** One use of a layer of the topology. */
export interface Use {
  readonly layer: LayerSpec;
  /** Which of its calls, from 0. */
  readonly call: number;
}

/**
 * The uses that the model's outputs depend on, and its inputs, each behind what it reads; otherwise as the file has them.
 *
 * @throws ModelError where links go in circles or nowhere
 */
export function orderedUses(model: ModelSpec): { uses: Use[]; find: (ref: TensorRef) => Use } {
  const layers = new Map<string, LayerSpec>();
  for (const layer of model.layers) {
    if (layers.has(layer.name))
      throw new ModelError(`two layers are named '${layer.name}'; names have to differ`, layer.name);
    layers.set(layer.name, layer);
  }
  const offsets = callOffsets(model, layers);
  const uses = new Map<string, Use>();
  const key = (name: string, call: number) => `${name}\n${call}`;
  const find = ({ layer: name, call }: TensorRef): Use => {
    const layer = layers.get(name);
    if (!layer) throw new ModelError(`a layer reads '${name}', which the model does not have`, name);
    const own = call - (offsets.get(name) ?? 0);
    const count = Math.max(layer.calls.length, 1);
    if (!Number.isInteger(own) || own < 0 || own >= count)
      throw new ModelError(
        `a layer reads use ${call + 1} of layer '${name}', which is used ${count === 1 ? 'once' : `${count} times`}`,
        name,
      );
    const id = key(name, own);
    const known = uses.get(id) ?? { layer, call: own };
    uses.set(id, known);
    return known;
  };
  const reads = ({ layer, call }: Use): Use[] => {
    const spec = layer.calls[call];
    return spec ? [...spec.args, ...Object.values(spec.kwargs)].flatMap(refsIn).map(find) : [];
  };

  const wanted = reachable([...model.inputs, ...model.outputs].map(find), reads);
  const done = new Set<Use>();
  const open = new Set<Use>();
  const ordered: Use[] = [];
  const all = model.layers.flatMap((layer) =>
    Array.from({ length: Math.max(layer.calls.length, 1) }, (_, i) => uses.get(key(layer.name, i))),
  );
  for (const start of all) {
    if (!start || !wanted.has(start)) continue;
    const pending = [start];
    while (pending.length > 0) {
      const use = pending.at(-1)!;
      const missing = done.has(use) ? [] : reads(use).filter((other) => !done.has(other));
      if (missing.length === 0) {
        pending.pop();
        open.delete(use);
        if (!done.has(use)) ordered.push(use);
        done.add(use);
        continue;
      }
      if (open.has(use) && missing.some((other) => open.has(other)))
        throw new ModelError(
          `layer '${use.layer.name}' reads what depends on it: links go in circles`,
          use.layer.name,
        );
      open.add(use);
      pending.push(...missing.reverse());
    }
  }
  return { uses: ordered, find };
}

function reachable(from: readonly Use[], reads: (use: Use) => Use[]): Set<Use> {
  const seen = new Set<Use>(from);
  const pending = [...seen];
  for (let use = pending.pop(); use; use = pending.pop()) {
    for (const other of reads(use)) {
      if (seen.has(other)) continue;
      seen.add(other);
      pending.push(other);
    }
  }
  return seen;
}

/** Keras 2 counts a nested model's own making as its first use; Keras 3 does where it feels like it. */
function callOffsets(model: ModelSpec, layers: ReadonlyMap<string, LayerSpec>): Map<string, number> {
  const read = new Map<string, Set<number>>();
  const note = ({ layer, call }: TensorRef) => {
    if (layers.get(layer)?.model) read.set(layer, (read.get(layer) ?? new Set()).add(call));
  };
  for (const { calls } of model.layers)
    for (const { args, kwargs } of calls) [...args, ...Object.values(kwargs)].flatMap(refsIn).forEach(note);
  model.outputs.forEach(note);
  return new Map(
    [...read].map(([name, numbers]) => [
      name,
      numbers.has(layers.get(name)!.calls.length) || !numbers.has(0) ? 1 : 0,
    ]),
  );
}
