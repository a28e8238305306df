"""Writes resnet.keras, a small residual classifier as a Keras user saves one, and resnet.json: an input and what Keras gives for it.

    python make.py    # keras and a backend, such as tensorflow-cpu, from PyPI
"""

import json
from pathlib import Path

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(15)
here = Path(__file__).parent


def block(x, filters, strides):
    y = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(x)
    y = layers.BatchNormalization()(y)
    y = layers.ReLU()(y)
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
    y = layers.BatchNormalization()(y)
    if strides > 1:
        x = layers.BatchNormalization()(layers.Conv2D(filters, 1, strides, use_bias=False)(x))
    return layers.ReLU()(layers.add([x, y]))


image = keras.Input((16, 16, 3), name="image")
x = layers.Rescaling(1 / 255)(image)
x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(x)))
for filters, strides in [(8, 1), (16, 2), (16, 1)]:
    x = block(x, filters, strides)
x = layers.GlobalAveragePooling2D()(x)
model = keras.Model(image, layers.Dense(4, activation="softmax", name="classes")(x), name="resnet")

# statistics and factors as after training
for layer in model.layers:
    if isinstance(layer, layers.BatchNormalization):
        size = layer.gamma.shape[0]
        layer.set_weights([np.random.uniform(0.5, 1.5, size), np.random.normal(0, 0.3, size),
                           np.random.normal(0, 0.1, size), np.random.uniform(0.5, 1.5, size)])
x = np.random.randint(0, 256, (2, 16, 16, 3)).astype("float32")
model.save(here / "resnet.keras")
y = model.predict(x, verbose=0)
(here / "resnet.json").write_text(json.dumps({"x": x.astype(int).ravel().tolist(), "y": y.ravel().tolist()}))
