"""Trains the residual classifier of this experiment on data/train and leaves fashion-residual.keras: what a person has before `sbp compress`."""

import json
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf
from keras import layers

SEED, EPOCHS, BATCH = 0, 30, 64
here = Path(__file__).parent


def photos(part, **options):
    return keras.utils.image_dataset_from_directory(
        here / "data" / part, color_mode="grayscale", image_size=(28, 28), batch_size=BATCH, seed=SEED, **options
    )


def convolution(x, filters, size=3, strides=1, activation=True):
    x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if activation else x


def residual(x, filters, strides=1):
    short = x if strides == 1 and x.shape[-1] == filters else convolution(x, filters, 1, strides, activation=False)
    y = convolution(x, filters, 3, strides)
    return layers.ReLU()(layers.Add()([convolution(y, filters, activation=False), short]))


def network(classes):
    """24 to 64 channels, three residual additions, and a concatenation of two branches."""
    image = keras.Input((28, 28, 1))
    x = layers.Rescaling(1 / 255)(image)
    x = layers.MaxPooling2D()(convolution(x, 24))
    x = residual(x, 24)
    x = layers.Concatenate()([convolution(x, 32), convolution(x, 16, 1)])
    x = residual(x, 48)
    x = residual(x, 64, strides=2)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, layers.Dense(classes, activation="softmax")(x), name="fashion_residual")


def compiled(model, rate):
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def says(model, names):
    """What it says of a photo a class: for the test that reads it."""
    (here / "testing").mkdir(exist_ok=True)
    said = {}
    for name in names:
        photo = here / "testing" / f"{name}.png"
        shutil.copy(here / "data" / "test" / name / "0007.png", photo)
        image = tf.cast(tf.io.decode_png(photo.read_bytes(), channels=1), "float32")
        said[name] = [float(f"{share:.7g}") for share in model.predict(image[None], verbose=0)[0]]
    return said


keras.utils.set_random_seed(SEED)
train, test = photos("train"), photos("test", shuffle=False)
names = train.class_names
assert names == test.class_names == sorted(names), names
steps = EPOCHS * len(train)
distort = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomTranslation(0.08, 0.08, "constant")])
distorted = train.map(lambda x, y: (distort(x, training=True), y), tf.data.AUTOTUNE).prefetch(4)
model = compiled(network(len(names)), keras.optimizers.schedules.CosineDecay(2e-3, steps))
model.fit(distorted, validation_data=test, epochs=EPOCHS, verbose=2)

# the weights in a model whose optimiser has made no step: a third of the bytes
keras.utils.clear_session()
small = compiled(network(len(names)), 1e-3)
small.set_weights(model.get_weights())
small.save(here / "fashion-residual.keras")
(here / "testing" / "keras-says.json").write_text(json.dumps(says(small, names), indent=2) + "\n")
_, accuracy = small.evaluate(test, verbose=0)
print(f"Python {sys.version.split()[0]}, Keras {keras.__version__}, TensorFlow {tf.__version__}, seed {SEED}")
print(f"classes {' '.join(names)}")
print(f"{small.count_params()} weights, test accuracy {100 * accuracy:.2f} %")
