"""Makes one network of keras.applications as files. Usage: make.py keras2|keras3|published NAME SIZE SEED LOW HIGH FOLDER

keras2: Keras 2 (tf_keras), `keras2.h5`, and what the official converter makes of it, `converter/`
keras3: Keras 3, `model.keras`, `model.h5`, and what the converter makes of the latter, `converter3/`
both with `io.json`: inputs, and what TensorFlow gave for them
published: Keras 3 at the size of the published figures, `published.keras`, and `published.json`, what TensorFlow's graph of it multiplies
"""

import json
import os
import subprocess
import sys

dialect, name, size, seed, low, high, folder = sys.argv[1:]
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
if dialect == "keras2":
    os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

import count  # noqa: E402
import lively  # noqa: E402

if dialect == "keras2":
    import tf_keras as keras
else:
    import keras

size, seed, span = int(size), int(seed), (float(low), float(high))
np.random.seed(seed)
tf.random.set_seed(seed)
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(seed)
model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3))
here = os.path.dirname(os.path.abspath(__file__))
at = lambda *parts: os.path.join(folder, *parts)
os.makedirs(folder, exist_ok=True)


def write(file, value):
    with open(at(file), "w") as stream:
        json.dump(value, stream)


def convert(source, target):
    program = [sys.executable, os.path.join(here, "convert.py"), "--input_format", "keras"]
    done = subprocess.run([*program, at(source), at(target)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"the converter failed: {done.stderr[-2000:]}")


if dialect == "published":
    model.save(at("published.keras"))
    write("published.json", {"size": size, "macs": count.macs(model), "params": model.count_params()})
    sys.exit()

lively.enliven(model, rng, lively.images(rng, 16, size, span))
x = lively.images(rng, 2, size, span)
y = model(x, training=False).numpy()
if not np.isfinite(y).all():
    raise ValueError(f"{name} gives numbers that are not finite")
tensors = lambda tensor, values: [
    {"name": tensor.name.split(":")[0], "shape": list(values.shape), "data": [float(v) for v in values.ravel()]}
]
io = {"x": tensors(model.inputs[0], x), "y": tensors(model.outputs[0], y)}
# Keras 2 leaves shapes open in its graph of layer normalisation; the networks are the same
macs = {} if dialect == "keras2" else {"macs": count.macs(model)}
info = {"size": size, **macs, "params": model.count_params(), "y": {"max": float(y.max()), "min": float(y.min())}}
if dialect == "keras2":
    model.save(at("keras2.h5"))
    convert("keras2.h5", "converter")
else:
    model.save(at("model.keras"))
    model.save(at("model.h5"))
    convert("model.h5", "converter3")
write(f"{dialect}.io.json", io)
write(f"{dialect}.json", info)
