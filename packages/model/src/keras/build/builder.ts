import { ModelError } from '../../errors.js';
import type { FileWeight, Json } from '../../files/model-file.js';
import type { JsonObject } from '../topology/json.js';
import { instance, type LayerConfig, outputShapes } from './instance.js';
import type { Shape, Tensor } from './tensor.js';

/** A weight and where it goes in the model that is being written. */
export interface PlacedWeight {
  readonly layer: string;
  /** Its name within the layer, as tfjs has it: `kernel`, `forward_lstm/kernel`; behind a slash, its whole name. */
  readonly key: string;
  readonly weight: FileWeight;
}

export type Weights = Readonly<Record<string, FileWeight | undefined>>;

/** A model that has been written. */
export interface BuiltModel extends LayerConfig {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Its layers but the inputs, as they stand in it. */
  readonly layers: readonly LayerConfig[];
  readonly weights: readonly PlacedWeight[];
  /** Shapes of the outputs for inputs of these shapes. */
  shapes(inputs: readonly Shape[]): Shape[];
}

export interface AddOptions {
  /** By tfjs's names. */
  weights?: Weights;
  /** Whether a mask comes with the outputs; default: where one comes with the inputs and the layer passes it on. */
  masked?: boolean;
  /** Shapes of the outputs, of a layer that holds others; those may be of any size, so tfjs is not asked. */
  shapes?: (inputs: readonly Shape[]) => Shape[];
}

interface Written {
  config: LayerConfig;
  calls: (readonly Tensor[])[];
  input: boolean;
  shapes(inputs: readonly Shape[]): Shape[];
  supportsMasking: boolean;
}

interface Step {
  layer: string;
  inputs: readonly Tensor[];
  outputs: readonly Tensor[];
}

/** Names of layers with weights: tfjs knows a weight by its layer's name alone, nested models or not. */
export type TakenNames = Set<string>;

/** Writes a model in tfjs's form, layer by layer. */
export class ModelBuilder {
  private readonly layers = new Map<string, Written>();
  /** Layers by the names that were asked for. */
  private readonly asked = new Map<string, string[]>();
  private readonly steps: Step[] = [];
  private readonly placed: PlacedWeight[] = [];
  private readonly inputs: Tensor[] = [];

  constructor(private readonly taken: TakenNames) {}

  input(name: string, shape: Shape, dtype: string): Tensor {
    const config = { className: 'InputLayer', config: { name, batch_input_shape: [...shape], dtype } };
    const own = this.freeName(name);
    this.layers.set(own, {
      config: { ...config, config: { ...config.config, name: own } },
      calls: [],
      input: true,
      shapes: () => [shape],
      supportsMasking: false,
    });
    const tensor: Tensor = { layer: own, call: 0, index: 0, shape, dtype, masked: false };
    this.inputs.push(tensor);
    return tensor;
  }

  /** Puts a layer behind the tensors; called again with the same name and config, the same layer once more. */
  add(
    name: string,
    className: string,
    config: JsonObject,
    inputs: readonly Tensor[],
    options: AddOptions = {},
  ): Tensor[] {
    const wanted = JSON.stringify([className, config]);
    const isSame = (own: string) => {
      const known = this.layers.get(own)!.config;
      return JSON.stringify([known.className, withoutName(known.config)]) === wanted;
    };
    const own = this.asked.get(name)?.find(isSame) ?? this.place(name, className, config, options);
    const layer = this.layers.get(own)!;
    const masked = inputs.some((input) => input.masked);
    const fed = masked && !layer.supportsMasking ? inputs.map((input) => this.unmasked(input)) : inputs;
    return this.call(own, fed, options.masked ?? (masked && layer.supportsMasking));
  }

  /** Puts a model behind the tensors. */
  nest(name: string, model: BuiltModel, inputs: readonly Tensor[]): Tensor[] {
    let own = [...this.layers].find(([, { config }]) => config === model)?.[0];
    if (!own) {
      own = this.freeName(name);
      this.layers.set(own, {
        config: model,
        calls: [],
        input: false,
        shapes: (shapes) => model.shapes(shapes),
        supportsMasking: true,
      });
      this.placed.push(...model.weights);
    }
    return this.call(
      own,
      inputs,
      model.outputs.some(({ masked }) => masked),
    );
  }

  finish(
    name: string,
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
    sequential: boolean,
  ): BuiltModel {
    const chain = sequential && this.isChain(outputs);
    const layers = [...this.layers].map(([own, { config, calls, input }]) => ({
      name: own,
      class_name: config.className,
      config: config.config,
      inbound_nodes: input ? [] : calls.map((call) => call.map((tensor) => [...this.point(tensor), {}])),
    }));
    const config: JsonObject = chain
      ? { name, layers: layers.map(({ class_name, config }) => ({ class_name, config })) }
      : {
          name,
          layers: layers as unknown as Json[],
          input_layers: inputs.map((tensor) => this.point(tensor)),
          output_layers: outputs.map((tensor) => this.point(tensor)),
        };
    return {
      className: chain ? 'Sequential' : 'Functional',
      config,
      inputs,
      outputs,
      layers: [...this.layers.values()].filter(({ input }) => !input).map(({ config }) => config),
      weights: this.placed,
      shapes: (shapes) => this.shapesFor(shapes, outputs),
    };
  }

  private place(
    name: string,
    className: string,
    config: JsonObject,
    { weights = {}, shapes }: AddOptions,
  ): string {
    const given = Object.entries(weights).filter((entry): entry is [string, FileWeight] => Boolean(entry[1]));
    const own = this.freeName(name, given.length > 0);
    this.asked.set(name, [...(this.asked.get(name) ?? []), own]);
    const made = shapes ? undefined : instance({ className, config: { name: own, ...config } });
    this.layers.set(own, {
      config: { className, config: { name: own, ...config } },
      calls: [],
      input: false,
      shapes: (inputs) => (made ? outputShapes(made, inputs) : shapes!(inputs)),
      supportsMasking: made?.supportsMasking ?? true,
    });
    for (const [key, weight] of given) this.placed.push({ layer: own, key, weight });
    return own;
  }

  private call(own: string, given: readonly Tensor[], masked: boolean): Tensor[] {
    const layer = this.layers.get(own)!;
    const call = layer.calls.length;
    const inputs = given.map((tensor, i) => (given.indexOf(tensor) === i ? tensor : this.again(tensor, i)));
    layer.calls.push(inputs);
    const shapes = layer.shapes(inputs.map(({ shape }) => shape));
    const outputs = shapes.map(
      (shape, index): Tensor => ({ layer: own, call, index, shape, dtype: 'float32', masked }),
    );
    this.steps.push({ layer: own, inputs, outputs });
    return outputs;
  }

  /** A tensor that a layer reads once more. tfjs would free it before other layers have read it. */
  private again(tensor: Tensor, i: number): Tensor {
    return this.add(`${tensor.layer}/again_${i}`, 'Activation', { activation: 'linear' }, [tensor])[0]!;
  }

  private unmasked(tensor: Tensor): Tensor {
    if (!tensor.masked) return tensor;
    return this.add(`${tensor.layer}/unmasked`, 'StopMask', {}, [tensor], { masked: false })[0]!;
  }

  /** The name, or one like it that is still free in the model, and for layers with weights in all models. */
  private freeName(wanted: string, weighted = false): string {
    // tfjs names variables after layers, and takes no other characters there.
    const name = weighted ? wanted.replace(/[^-A-Za-z0-9._/]/g, '_').replace(/^[^A-Za-z0-9]/, 'x$&') : wanted;
    let own = name;
    for (let i = 1; this.layers.has(own) || (weighted && this.taken.has(own)); i++) own = `${name}_${i}`;
    if (weighted) this.taken.add(own);
    return own;
  }

  /** A tensor as tfjs's files name it; a nested model's first use is its own making. */
  private point({ layer, call, index }: Tensor): [string, number, number] {
    const nested = 'shapes' in this.layers.get(layer)!.config;
    return [layer, nested ? call + 1 : call, index];
  }

  private isChain(outputs: readonly Tensor[]): boolean {
    const [output] = outputs;
    let before: Tensor | undefined = this.inputs[0];
    for (const { inputs, outputs: given } of this.steps) {
      if (inputs.length !== 1 || given.length !== 1 || inputs[0] !== before) return false;
      before = given[0];
    }
    return (
      this.inputs.length === 1 &&
      this.steps.length === this.layers.size - 1 &&
      outputs.length === 1 &&
      output === before
    );
  }

  private shapesFor(shapes: readonly Shape[], outputs: readonly Tensor[]): Shape[] {
    if (shapes.length !== this.inputs.length) {
      throw new ModelError(`a nested model has ${this.inputs.length} inputs and is given ${shapes.length}`);
    }
    const known = new Map<Tensor, Shape>(this.inputs.map((tensor, i) => [tensor, shapes[i]!]));
    for (const { layer, inputs, outputs: given } of this.steps) {
      const made = this.layers.get(layer)!.shapes(inputs.map((tensor) => known.get(tensor) ?? tensor.shape));
      given.forEach((tensor, i) => {
        known.set(tensor, made[i] ?? tensor.shape);
      });
    }
    return outputs.map((tensor) => known.get(tensor) ?? tensor.shape);
  }
}

function withoutName({ name: _, ...config }: JsonObject): JsonObject {
  return config;
}
