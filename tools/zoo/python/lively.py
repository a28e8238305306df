"""Random weights that let nothing hide: no bias at 0, no batch statistic at 0 or 1, and activations of the size that a trained network has at every depth."""

import numpy as np


def images(rng, count, size, span):
    """Images with large and small structure, so that they differ behind global pooling too."""
    low, high = span
    blocks = rng.uniform(low, high, (count, 4, 4, 3))
    index = np.arange(size) * 4 // size
    return (0.7 * blocks[:, index][:, :, index] + 0.3 * rng.uniform(low, high, (count, size, size, 3))).astype("float32")


def is_kind(layer, name):
    return type(layer).__name__ == name


def enliven(model, rng, batch):
    """Gives `model` such weights; the statistics of batch norm are near those of `batch`."""
    normal = lambda shape, scale: (scale * rng.standard_normal(shape)).astype("float32")
    norms = [layer for layer in model.layers if is_kind(layer, "BatchNormalization")]
    for layer in model.layers:
        values = []
        for weight in layer.weights:
            kind = weight.name.split("/")[-1].split(":")[0]
            shape = tuple(weight.shape)
            fan_in = int(np.prod(shape[:2])) if "depthwise" in kind else int(np.prod(shape[:-1]))
            if kind.endswith("kernel") or kind == "pointwise_kernel":
                values.append(normal(shape, (2 / fan_in) ** 0.5))
            elif kind in ("gamma", "variance", "moving_variance"):
                values.append(rng.uniform(0.5, 1.5, shape).astype("float32"))
            elif kind == "count":
                values.append(weight.numpy())
            else:
                values.append(normal(shape, 0.2))
        # a residual branch as long as its stem would double the stream in every block
        if is_kind(layer, "LayerScale"):
            values = [0.3 * value for value in values]
        layer.set_weights(values)
        if is_kind(layer, "Normalization"):
            # it computes with copies
            layer.finalize_state()
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
    model(batch, training=True)
    for layer, momentum in zip(norms, momenta):
        layer.momentum = momentum
        by_kind = dict(zip([weight.name.split("/")[-1].split(":")[0] for weight in layer.weights], layer.weights))
        mean, variance = by_kind["moving_mean"], by_kind["moving_variance"]
        deviation = np.sqrt(variance.numpy() + 1e-6)
        mean.assign(mean.numpy() + 0.2 * deviation * normal(mean.shape, 1))
        variance.assign((variance.numpy() + 1e-6) * rng.uniform(0.6, 1.6, variance.shape).astype("float32"))
    sharpen(model, batch)


def sharpen(model, batch):
    """Logits of deviation 2: a softmax that is neither flat nor one class."""
    head = [layer for layer in model.layers if layer.weights][-1]
    logs = np.log(np.maximum(model(batch, training=False).numpy(), 1e-30))
    scale = 2 / max(1e-6, float(np.std(logs, axis=-1).mean()))
    head.set_weights([scale * value for value in head.get_weights()])
