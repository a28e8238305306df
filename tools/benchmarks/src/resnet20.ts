import * as tf from '@tensorflow/tfjs';

type Value = tf.SymbolicTensor;

/** ResNet-20 for 32×32 images (He et al. 2015, 4.2): three stages of three blocks, 16, 32 and 64 channels, shortcuts by 1×1 convolutions where the size changes. */
export function resNet20(): tf.LayersModel {
  let seed = 0;
  const through = (x: Value, ...layers: tf.layers.Layer[]) =>
    layers.reduce((value, layer) => layer.apply(value) as Value, x);
  const convolution = (name: string, filters: number, kernelSize: number, strides: number) => [
    tf.layers.conv2d({
      ...{ name, filters, kernelSize, strides, padding: 'same', useBias: false },
      kernelInitializer: tf.initializers.heNormal({ seed: ++seed }),
    }),
    tf.layers.batchNormalization({ name: `${name}_bn` }),
  ];
  const relu = (name: string) => tf.layers.reLU({ name: `${name}_relu` });
  const input = tf.input({ shape: [32, 32, 3], name: 'image' });
  let x = through(input, ...convolution('conv', 16, 3, 1), relu('conv'));
  for (const [stage, filters] of [16, 32, 64].entries())
    for (let block = 0; block < 3; block++) {
      const name = `stage${stage + 1}_block${block + 1}`;
      const strides = stage > 0 && block === 0 ? 2 : 1;
      const shortcut =
        strides === 1 ? x : through(x, ...convolution(`${name}_shortcut`, filters, 1, strides));
      const first = through(x, ...convolution(`${name}_a`, filters, 3, strides), relu(`${name}_a`));
      const second = through(first, ...convolution(`${name}_b`, filters, 3, 1));
      const sum = tf.layers.add({ name: `${name}_add` }).apply([shortcut, second]) as Value;
      x = through(sum, relu(name));
    }
  const logits = tf.layers.dense({
    ...{ name: 'logits', units: 10 },
    kernelInitializer: tf.initializers.glorotUniform({ seed: 0 }),
  });
  const pooled = tf.layers.globalAveragePooling2d({ name: 'pool', dataFormat: 'channelsLast' });
  const outputs = through(x, pooled, logits, tf.layers.softmax({ name: 'probabilities' }));
  return tf.model({ name: 'resnet20', inputs: input, outputs });
}
