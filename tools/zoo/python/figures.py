"""What Keras 3 says of masked losses and of metrics, for the tests of @sbp/train: python figures.py > packages/train/src/objective/keras-figures.json"""

import json

import keras
import numpy as np
from keras import layers, metrics

random = np.random.default_rng(1)


def listed(array):
    return array.ravel().tolist()


def masked():
    """Two outputs behind a mask that leaves 14 of 6 times 4 steps, and none of the last sequence."""
    keras.utils.set_random_seed(3)
    x = random.normal(size=(6, 4, 3)).astype("float32")
    for i, steps in enumerate([4, 2, 3, 1, 4, 0]):
        x[i, steps:] = 0
    classes = random.integers(0, 3, size=(6, 4))
    values = random.normal(size=(6, 4, 2)).astype("float32")
    given = keras.Input((4, 3), name="in")
    hidden = layers.Dense(5, activation="tanh", name="h")(layers.Masking()(given))
    model = keras.Model(
        given, [layers.Dense(3, activation="softmax", name="c")(hidden), layers.Dense(2, name="v")(hidden)]
    )
    model.compile(
        "sgd", {"c": "sparse_categorical_crossentropy", "v": "mse"}, metrics={"c": ["accuracy"], "v": ["mae"]}
    )
    figures = model.evaluate(x, {"c": classes, "v": values}, batch_size=6, verbose=0, return_dict=True)
    return {
        "x": listed(x),
        "y": listed(classes),
        "v": listed(values),
        "weights": [weight.tolist() for weight in model.get_weights()],
        "figures": {name: float(value) for name, value in figures.items()},
    }


def figures(target, output, all_metrics):
    def of(metric):
        metric.update_state(target, output)
        return float(metric.result())

    return {name: of(metric) for name, metric in all_metrics.items()}


def of_classes():
    output = random.dirichlet(np.ones(7), size=20).astype("float32")
    target = np.eye(7, dtype="float32")[random.integers(0, 7, 20)]
    output[:6] = 0.3 * output[:6] + 0.7 * target[:6]
    found = figures(
        target,
        output,
        {
            "categorical_accuracy": metrics.CategoricalAccuracy(),
            "top_k_categorical_accuracy": metrics.TopKCategoricalAccuracy(),
            "precision": metrics.Precision(),
            "recall": metrics.Recall(),
            "mean_absolute_error": metrics.MeanAbsoluteError(),
            "mean_squared_error": metrics.MeanSquaredError(),
            "root_mean_squared_error": metrics.RootMeanSquaredError(),
            "mean_io_u": metrics.OneHotMeanIoU(7),
            "categorical_crossentropy": metrics.CategoricalCrossentropy(),
            "kl_divergence": metrics.KLDivergence(),
        },
    )
    found["huber"] = float(keras.losses.Huber()(target, output))
    return {"targets": target.argmax(1).tolist(), "outputs": listed(output), "figures": found}


def of_one_unit():
    output = random.uniform(size=(20, 1)).astype("float32")
    target = (random.uniform(size=(20, 1)) > 0.4).astype("float32")
    found = figures(
        target,
        output,
        {
            "binary_accuracy": metrics.BinaryAccuracy(),
            "precision": metrics.Precision(),
            "recall": metrics.Recall(),
            "mean_io_u": metrics.BinaryIoU(),
            "binary_crossentropy": metrics.BinaryCrossentropy(),
        },
    )
    return {"targets": listed(target), "outputs": listed(output), "figures": found}


print(json.dumps({"masked": masked(), "classes": of_classes(), "binary": of_one_unit()}))
