"""Makes the Keras files of this folder, small enough to be damaged ten thousand times.

    python -m venv .venv && .venv/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1 tf_keras==2.21.0
    .venv/bin/python make.py
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import tf_keras

here = os.path.dirname(os.path.abspath(__file__))


def branches(k):
    L = k.layers
    x = k.Input((6, 6, 2), name="x")
    a = L.Conv2D(3, 3, padding="same", name="a")(x)
    a = L.BatchNormalization(name="bn")(a)
    b = L.SeparableConv2D(3, 3, padding="same", activation="relu", name="b")(a)
    y = L.GlobalAveragePooling2D(name="g")(L.Add(name="sum")([a, b]))
    inner = k.Sequential([k.Input((3,)), L.Dense(2, name="d")], name="inner")
    return k.Model(x, inner(y), name="branches")


def cells(k):
    L = k.layers
    return k.Sequential(
        [k.Input((4,), dtype="int32"), L.Embedding(9, 3), L.Bidirectional(L.LSTM(2, return_sequences=True)), L.GRU(2)],
        name="cells",
    )


def save(model, name, file):
    folder = os.path.join(here, name)
    os.makedirs(folder, exist_ok=True)
    model.save(os.path.join(folder, file))


for make in (branches, cells):
    save(make(keras), f"keras3-{make.__name__}", "model.keras")
    save(make(tf_keras), f"keras2-{make.__name__}", "model.h5")
save(branches(keras), "keras3-branches-h5", "model.h5")
