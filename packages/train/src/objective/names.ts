import type * as tf from '@tensorflow/tfjs';

/** Names of a model's inputs or outputs, which are those of their layers; a tf.Sequential knows only its layers. */
export function namesOf(model: tf.LayersModel, side: 'input' | 'output'): string[] {
  const [names, tensors] =
    side === 'input' ? [model.inputNames, model.inputs] : [model.outputNames, model.outputs];
  return tensors.map(({ sourceLayer }, i) => names?.[i] ?? sourceLayer.name);
}

/** Keras's snake_case and its classes' names as tfjs has them. */
export function camelCase(name: string): string {
  const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return camel.charAt(0).toLowerCase() + camel.slice(1);
}
