/** Classes of the layers that make new groups of all that they read, by a kernel [..., inputs, outputs]. */
export const MIXING: ReadonlySet<string> = new Set(['Conv2D', 'NoisyConv2D', 'Dense', 'NoisyDense']);
