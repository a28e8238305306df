import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModel } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { decode } from 'fast-png';
import { expect, it } from 'vitest';

const here = fileURLToPath(new URL('../../../experiments/fashion-folders', import.meta.url));

it('the Keras model of experiments/fashion-folders says of a photo a class what Keras says', async () => {
  const said: Record<string, number[]> = JSON.parse(
    readFileSync(join(here, 'testing', 'keras-says.json'), 'utf8'),
  );
  const names = Object.keys(said);
  const photos = names.map((name) => decode(readFileSync(join(here, 'testing', `${name}.png`))).data);
  const model = await loadModel(join(here, 'fashion-residual.keras'));
  const images = tf.tensor(Float32Array.from(photos.flatMap((photo) => [...photo])), [
    names.length,
    28,
    28,
    1,
  ]);
  const shares = (await (model.predict(images) as tf.Tensor).array()) as number[][];
  expect(names).toHaveLength(10);
  for (const [i, name] of names.entries())
    for (const [kind, share] of (shares[i] as number[]).entries())
      expect(Math.abs(share - (said[name] as number[])[kind]!), `${name}, ${names[kind]}`).toBeLessThan(1e-4);
});
