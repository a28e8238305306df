"""Makes the test data of this folder: for Keras 2 and 3, one model that has an output for each case of every layer class that @sbp/model reads, with TensorFlow's inputs and outputs.

    python -m venv .venv && .venv/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1 tf_keras==2.21.0
    .venv/bin/python make.py

Tests take one output at a time, so each case stands alone. Files are packed, since HDF5 is mostly air.
"""

import gzip
import io
import json
import os
import sys
import tempfile
import zipfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
import tensorflow as tf
import tf_keras

here = os.path.dirname(os.path.abspath(__file__))
BATCH = 2
SHAPES = {"vector": (6,), "sequence": (5, 4), "image": (5, 6, 4), "volume": (4, 5, 4, 2), "tokens": (5,), "frames": (3, 4, 4, 2), "channels_first": (4, 6, 6)}


# What Keras 3.15 fails to write there.
NOT_IN_H5 = {"RandomBrightness"}


def layers_of(k, v3):
    """Cases as {name: (input, layer or function of a tensor)}."""
    L = k.layers
    cases = {}

    def case(name, on, what):
        assert name not in cases, name
        cases[name] = (on, what)

    # activations
    names = ["linear", "relu", "elu", "selu", "sigmoid", "softplus", "softsign", "tanh", "softmax", "swish", "gelu", "exponential", "hard_sigmoid", "mish", "relu6", "log_softmax"]
    if v3:
        names += ["silu", "hard_silu", "hard_swish", "leaky_relu", "celu", "hard_tanh", "hard_shrink", "soft_shrink", "tanh_shrink", "squareplus", "log_sigmoid", "sparse_plus", "sparse_sigmoid"]
    for name in names:
        if name in ("mish", "log_softmax", "relu6") and not hasattr(k.activations, name):
            continue
        case(f"Activation {name}", "sequence", lambda name=name: L.Activation(name))
    case("Dense hard_sigmoid", "vector", lambda: L.Dense(3, activation="hard_sigmoid"))
    case("Dense with a layer as activation", "vector", lambda: L.Dense(3, activation=L.LeakyReLU() if v3 else "elu"))
    case("ReLU", "image", lambda: L.ReLU())
    case("ReLU max", "image", lambda: L.ReLU(max_value=0.5))
    case("ReLU slope", "image", lambda: L.ReLU(negative_slope=0.25))
    case("ReLU all", "image", lambda: L.ReLU(max_value=0.8, negative_slope=0.25, threshold=0.25))
    case("ReLU threshold", "image", lambda: L.ReLU(threshold=0.5))
    case("LeakyReLU", "image", lambda: L.LeakyReLU())
    case("LeakyReLU slope", "image", lambda: L.LeakyReLU(negative_slope=0.15) if v3 else L.LeakyReLU(alpha=0.15))
    case("PReLU", "image", lambda: L.PReLU(shared_axes=[1, 2]))
    case("PReLU own", "vector", lambda: L.PReLU())
    case("ELU", "vector", lambda: L.ELU())
    case("ELU alpha", "vector", lambda: L.ELU(alpha=0.5))
    case("Softmax", "image", lambda: L.Softmax())
    case("Softmax axis", "image", lambda: L.Softmax(axis=1))
    case("Softmax axes", "image", lambda: L.Softmax(axis=[1, 2]))
    if not v3:
        case("ThresholdedReLU", "vector", lambda: L.ThresholdedReLU(0.3))
    # core
    case("Dense", "vector", lambda: L.Dense(3, activation="relu"))
    case("Dense on a sequence", "sequence", lambda: L.Dense(3, use_bias=False, kernel_regularizer="l2", bias_regularizer=None, kernel_constraint="max_norm"))
    case("Dense on an image", "image", lambda: L.Dense(3, activation="softmax"))
    case("EinsumDense", "vector", lambda: L.EinsumDense("ab,bc->ac", output_shape=3, bias_axes="c"))
    case("EinsumDense on a sequence", "sequence", lambda: L.EinsumDense("abc,cd->abd", output_shape=(None, 3), activation="relu"))
    case("Embedding", "tokens", lambda: L.Embedding(9, 3))
    case("Flatten", "image", lambda: L.Flatten())
    case("Flatten a vector", "vector", lambda: L.Flatten())
    case("Flatten channels first", "image", lambda: L.Flatten(data_format="channels_first"))
    case("Reshape", "image", lambda: L.Reshape((5, -1, 2)))
    case("Reshape whole", "vector", lambda: L.Reshape((3, 2)))
    case("Permute", "image", lambda: L.Permute((3, 1, 2)))
    case("RepeatVector", "vector", lambda: L.RepeatVector(3))
    case("ActivityRegularization", "vector", lambda: L.ActivityRegularization(0.1))
    if hasattr(L, "Identity"):
        case("Identity", "vector", lambda: L.Identity())
    # convolutions
    for d, on in ((1, "sequence"), (2, "image"), (3, "volume")):
        conv = getattr(L, f"Conv{d}D")
        back = getattr(L, f"Conv{d}DTranspose")
        case(f"Conv{d}D", on, lambda conv=conv: conv(3, 3, activation="relu"))
        case(f"Conv{d}D same strides", on, lambda conv=conv: conv(3, 2, strides=2, padding="same", use_bias=False))
        case(f"Conv{d}D dilated", on, lambda conv=conv: conv(3, 2, dilation_rate=2, padding="same"))
        case(f"Conv{d}DTranspose", on, lambda back=back: back(3, 3, strides=2, activation="sigmoid"))
        case(f"Conv{d}DTranspose same", on, lambda back=back: back(3, 3, strides=2, padding="same"))
        case(f"Conv{d}DTranspose even", on, lambda back=back: back(3, 2, strides=1, padding="same"))
        case(f"Conv{d}DTranspose output_padding", on, lambda back=back: back(2, 3, strides=2, padding="same", output_padding=0))
        if d < 3:
            case(f"Conv{d}DTranspose output_padding 1", on, lambda back=back: back(2, 3, strides=2, output_padding=1))
    case("Conv3D strides beyond the kernel", "volume", lambda: L.Conv3D(2, 1, strides=2, padding="same"))
    case("Conv3D strides beyond the kernel, some", "volume", lambda: L.Conv3D(2, (3, 1, 1), strides=(1, 2, 2), padding="same"))
    case("Conv3DTranspose strides beyond the kernel", "volume", lambda: L.Conv3DTranspose(2, 1, strides=2, padding="same"))
    case("MaxPooling3D strides beyond the window", "volume", lambda: L.MaxPooling3D(1, strides=2, padding="same"))
    case("Conv1D causal", "sequence", lambda: L.Conv1D(3, 3, padding="causal", dilation_rate=2))
    case("Conv1D groups", "sequence", lambda: L.Conv1D(6, 3, groups=2))
    case("Conv2D groups", "image", lambda: L.Conv2D(8, 3, groups=4, activation="relu", strides=2, padding="same"))
    case("Conv2D even same", "image", lambda: L.Conv2D(2, 4, padding="same"))
    case("Conv2D swish", "image", lambda: L.Conv2D(2, 1, activation="swish"))
    case("Conv2D unequal", "image", lambda: L.Conv2D(2, (1, 3), strides=(2, 1), padding="same"))
    case("DepthwiseConv2D", "image", lambda: L.DepthwiseConv2D(3, depth_multiplier=2, activation="relu"))
    case("DepthwiseConv2D strides", "image", lambda: L.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False))
    case("DepthwiseConv2D dilated", "image", lambda: L.DepthwiseConv2D(3, dilation_rate=2, padding="same"))
    case("DepthwiseConv2D dilated valid", "image", lambda: L.DepthwiseConv2D(2, dilation_rate=2))
    case("SeparableConv2D", "image", lambda: L.SeparableConv2D(3, 3, activation="relu", depth_multiplier=2))
    case("SeparableConv2D dilated", "image", lambda: L.SeparableConv2D(3, 2, dilation_rate=2, padding="same", use_bias=False))
    case("SeparableConv1D", "sequence", lambda: L.SeparableConv1D(3, 3, activation="relu", padding="same"))
    case("SeparableConv1D strides", "sequence", lambda: L.SeparableConv1D(3, 2, strides=2, depth_multiplier=2))
    case("DepthwiseConv1D", "sequence", lambda: L.DepthwiseConv1D(3, depth_multiplier=2))
    case("DepthwiseConv1D dilated", "sequence", lambda: L.DepthwiseConv1D(2, dilation_rate=2, padding="same", activation="tanh"))
    # normalisation
    for d, on in ((0, "vector"), (1, "sequence"), (2, "image"), (3, "volume")):
        case(f"BatchNormalization {on}", on, lambda: L.BatchNormalization())
        case(f"LayerNormalization {on}", on, lambda: L.LayerNormalization())
    case("BatchNormalization bare", "image", lambda: L.BatchNormalization(scale=False, center=False, epsilon=0.1))
    case("BatchNormalization axis 1", "image", lambda: L.BatchNormalization(axis=1))
    case("BatchNormalization axis 1 of a sequence", "sequence", lambda: L.BatchNormalization(axis=1, scale=False))
    case("LayerNormalization axes", "image", lambda: L.LayerNormalization(axis=[1, 2, 3]))
    case("LayerNormalization axis 1", "image", lambda: L.LayerNormalization(axis=1, center=False))
    case("GroupNormalization", "image", lambda: L.GroupNormalization(2))
    case("GroupNormalization of sequences", "sequence", lambda: L.GroupNormalization(4, epsilon=0.1, scale=False))
    case("GroupNormalization one", "image", lambda: L.GroupNormalization(-1))
    case("GroupNormalization axis 1", "image", lambda: L.GroupNormalization(5, axis=1))
    case("UnitNormalization", "image", lambda: L.UnitNormalization())
    case("UnitNormalization axis", "image", lambda: L.UnitNormalization(axis=[1, 2]))
    if v3:
        case("RMSNormalization", "sequence", lambda: L.RMSNormalization())
    case("Normalization given", "image", lambda: L.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 3.0, 4.0]))
    case("Normalization one", "vector", lambda: L.Normalization(axis=None, mean=0.5, variance=2.0))
    case("Normalization invert", "vector", lambda: L.Normalization(mean=0.5, variance=2.0, invert=True))

    def adapted(axis, shape):
        layer = L.Normalization(axis=axis)
        layer.adapt(np.random.default_rng(3).normal(1, 2, (16, *shape)).astype("float32"))
        return layer

    case("Normalization adapted", "image", lambda: adapted(-1, SHAPES["image"]))
    case("Normalization adapted axes", "sequence", lambda: adapted((1, 2), SHAPES["sequence"]))
    case("SpectralNormalization", "image", lambda: L.SpectralNormalization(L.Conv2D(2, 3)))
    # pooling
    for d, on in ((1, "sequence"), (2, "image"), (3, "volume")):
        for kind in ("Average", "Max"):
            pool = getattr(L, f"{kind}Pooling{d}D")
            case(f"{kind}Pooling{d}D", on, lambda pool=pool: pool(2))
            case(f"{kind}Pooling{d}D same", on, lambda pool=pool: pool(3, strides=2, padding="same"))
            whole = getattr(L, f"Global{kind}Pooling{d}D")
            case(f"Global{kind}Pooling{d}D", on, lambda whole=whole: whole())
            case(f"Global{kind}Pooling{d}D keepdims", on, lambda whole=whole: whole(keepdims=True))
            case(f"Global{kind}Pooling{d}D channels first", on, lambda whole=whole: whole(data_format="channels_first", keepdims=True))
    if v3:
        case("AveragePooling1D channels first", "sequence", lambda: L.AveragePooling1D(2, data_format="channels_first"))
        case("AdaptiveAveragePooling2D", "image", lambda: L.AdaptiveAveragePooling2D((5, 3)))
    if v3:
        first = dict(data_format="channels_first")
        # Filters unlike the width: TensorFlow's graph optimizer adds a bias along the last axis where it fits there.
        case("channels first", "image", lambda: lambda x: L.GlobalAveragePooling2D(**first)(L.MaxPooling2D(2, **first)(L.ReLU()(L.BatchNormalization(axis=1)(L.Conv2D(3, 3, padding="same", **first)(x))))))
        case("Conv1D channels first", "sequence", lambda: L.Conv1D(3, 2, activation="tanh", **first))
        case("SeparableConv2D channels first", "image", lambda: L.SeparableConv2D(2, 2, activation="relu", **first))
        case("DepthwiseConv2D channels first", "image", lambda: L.DepthwiseConv2D(2, dilation_rate=2, **first))
        case("Conv2DTranspose channels first", "image", lambda: L.Conv2DTranspose(3, 2, strides=2, **first))
        case("Conv2D groups channels first", "channels_first", lambda: L.Conv2D(6, 3, groups=2, **first))
        case("ZeroPadding2D channels first", "image", lambda: L.ZeroPadding2D(((1, 0), (2, 1)), **first))
        case("UpSampling2D channels first", "image", lambda: L.UpSampling2D((2, 1), interpolation="bilinear", **first))
    # shapes
    case("ZeroPadding1D", "sequence", lambda: L.ZeroPadding1D((1, 2)))
    case("ZeroPadding2D", "image", lambda: L.ZeroPadding2D(((1, 2), (0, 3))))
    case("ZeroPadding2D one", "image", lambda: L.ZeroPadding2D(2))
    case("ZeroPadding3D", "volume", lambda: L.ZeroPadding3D((1, 0, 2)))
    case("Cropping1D", "sequence", lambda: L.Cropping1D((1, 2)))
    case("Cropping2D", "image", lambda: L.Cropping2D(((1, 2), (0, 3))))
    case("Cropping3D", "volume", lambda: L.Cropping3D(((1, 0), (2, 1), (0, 2))))
    case("UpSampling1D", "sequence", lambda: L.UpSampling1D(3))
    case("UpSampling2D", "image", lambda: L.UpSampling2D((2, 3)))
    case("UpSampling2D bilinear", "image", lambda: L.UpSampling2D((2, 3), interpolation="bilinear"))
    case("UpSampling3D", "volume", lambda: L.UpSampling3D((1, 2, 3)))
    case("Resizing", "image", lambda: L.Resizing(4, 9))
    case("Resizing nearest", "image", lambda: L.Resizing(9, 4, interpolation="nearest"))
    case("CenterCrop", "image", lambda: L.CenterCrop(3, 4))
    case("Rescaling", "image", lambda: L.Rescaling(0.5, offset=-1.0))
    case("Rescaling lists", "image", lambda: L.Rescaling([0.5, 1.0, 2.0, 3.0], offset=[1.0, 0.0, -1.0, 2.0]))
    # nothing at inference
    for name in ("Dropout", "GaussianDropout", "SpatialDropout1D", "AlphaDropout"):
        case(name, "sequence", lambda name=name: getattr(L, name)(0.3))
    case("GaussianNoise", "image", lambda: L.GaussianNoise(0.3))
    case("SpatialDropout2D", "image", lambda: L.SpatialDropout2D(0.3))
    case("SpatialDropout3D", "volume", lambda: L.SpatialDropout3D(0.3))
    for name, args in (("RandomFlip", ()), ("RandomRotation", (0.2,)), ("RandomZoom", (0.2,)), ("RandomTranslation", (0.1, 0.1)), ("RandomContrast", (0.2,)), ("RandomBrightness", (0.2,))):
        case(name, "image", lambda name=name, args=args: getattr(L, name)(*args))
    # several inputs
    for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
        case(name, "image", lambda name=name: lambda x: getattr(L, name)()([x, L.Activation("tanh")(x)]))
    case("Multiply spread", "image", lambda: lambda x: L.Multiply()([x, L.GlobalAveragePooling2D(keepdims=True)(x)]))
    case("Add three", "vector", lambda: lambda x: L.Add()([x, x, L.Dense(6)(x)]))
    case("Concatenate axis", "image", lambda: lambda x: L.Concatenate(axis=1)([x, L.ReLU()(x)]))
    case("a tensor read twice by one layer", "vector", lambda: lambda x: (lambda d: L.Add()([L.Multiply()([d, d]), L.Dense(3)(d)]))(L.Dense(3)(x)))
    case("Dot", "vector", lambda: lambda x: L.Dot(axes=1)([x, L.Dense(6)(x)]))
    case("Dot normalize", "vector", lambda: lambda x: L.Dot(axes=-1, normalize=True)([x, L.Dense(6)(x)]))
    case("Dot of sequences", "sequence", lambda: lambda x: L.Dot(axes=(2, 2))([x, L.Dense(4)(x)]))
    case("Dot of sequences along time", "sequence", lambda: lambda x: L.Dot(axes=(1, 1))([x, L.Dense(3)(x)]))
    # recurrent
    for name in ("SimpleRNN", "LSTM", "GRU"):
        rnn = getattr(L, name)
        case(name, "sequence", lambda rnn=rnn: rnn(3))
        case(f"{name} sequences", "sequence", lambda rnn=rnn: rnn(3, return_sequences=True, go_backwards=True, dropout=0.1))
        case(f"{name} no bias", "sequence", lambda rnn=rnn: rnn(3, use_bias=False, activation="relu"))
        case(f"{name} states", "sequence", lambda rnn=rnn: lambda x: L.Concatenate()(list(rnn(3, return_state=True)(x))))
        case(f"{name} masked", "tokens", lambda rnn=rnn: lambda x: rnn(3)(L.Embedding(9, 3, mask_zero=True)(x)))
        case(f"{name} masked sequences", "tokens", lambda rnn=rnn: lambda x: rnn(3, return_sequences=True)(L.Embedding(9, 3, mask_zero=True)(x)))
        for mode in ("concat", "sum", "mul", "ave"):
            case(f"Bidirectional {name} {mode}", "sequence", lambda rnn=rnn, mode=mode: L.Bidirectional(rnn(2), merge_mode=mode))
        case(f"Bidirectional {name} sequences", "sequence", lambda rnn=rnn: L.Bidirectional(rnn(2, return_sequences=True)))
        cell = getattr(L, f"{name}Cell")
        case(f"RNN {name}Cell", "sequence", lambda cell=cell: L.RNN(cell(3)))
    case("GRU reset before", "sequence", lambda: L.GRU(3, reset_after=False))
    case("GRU hard_sigmoid", "sequence", lambda: L.GRU(3, recurrent_activation="hard_sigmoid"))
    case("RNN stacked", "sequence", lambda: L.RNN([L.LSTMCell(3), L.GRUCell(2), L.LSTMCell(2)], return_sequences=True))
    case("Bidirectional masked", "tokens", lambda: lambda x: L.Bidirectional(L.GRU(2))(L.Embedding(9, 3, mask_zero=True)(x)))

    def from_state(x):
        _, h, c = L.LSTM(3, return_state=True)(x)
        return L.LSTM(3)(x, initial_state=[h, c])

    case("LSTM from a state", "sequence", lambda: from_state)
    case("ConvLSTM2D", "frames", lambda: L.ConvLSTM2D(2, 2, padding="same"))
    case("ConvLSTM2D sequences", "frames", lambda: L.ConvLSTM2D(2, 3, return_sequences=True, recurrent_activation="sigmoid"))
    case("Masking", "sequence", lambda: lambda x: L.LSTM(2)(L.Masking(0.0)(L.ReLU(threshold=0.9)(x))))
    case("a mask that ends", "tokens", lambda: lambda x: L.GlobalMaxPooling1D()(L.Conv1D(2, 2)(L.Embedding(9, 3, mask_zero=True)(x))))
    case("Bidirectional masked sequences", "tokens", lambda: lambda x: L.Bidirectional(L.LSTM(2, return_sequences=True))(L.Embedding(9, 3, mask_zero=True)(x)))
    case("two recurrent layers masked", "tokens", lambda: lambda x: L.GRU(2)(L.Dropout(0.1)(L.LSTM(3, return_sequences=True)(L.Embedding(9, 3, mask_zero=True)(x)))))
    case("a mask that ends before a recurrent layer", "tokens", lambda: lambda x: L.LSTM(2)(L.Conv1D(3, 2, padding="same")(L.Embedding(9, 3, mask_zero=True)(x))))
    case("a mask beside", "tokens", lambda: lambda x: L.Concatenate()([L.LSTM(2)(L.Embedding(9, 3, mask_zero=True)(x)), L.GRU(2)(L.Embedding(9, 3)(x)), L.Softmax()(L.LSTM(3)(L.Embedding(9, 2)(x)))]))
    case("a mask within a TimeDistributed", "tokens", lambda: lambda x: L.TimeDistributed(L.Dense(2))(L.Embedding(9, 3, mask_zero=True)(x)))
    case("masks joined", "tokens", lambda: lambda x: (lambda e: L.LSTM(2)(L.Add()([e, L.Dense(3)(e)])))(L.Embedding(9, 3, mask_zero=True)(x)))
    case("a mask of a concatenation", "tokens", lambda: lambda x: (lambda e: L.LSTM(2)(L.Concatenate()([e, L.Dense(3)(e)])))(L.Embedding(9, 3, mask_zero=True)(x)))
    case("a mask that counts", "tokens", lambda: lambda x: L.GlobalAveragePooling1D()(L.Embedding(9, 3, mask_zero=True)(x)))
    case("a mask that is flattened", "tokens", lambda: lambda x: L.Dense(2)(L.Flatten()(L.Embedding(9, 3, mask_zero=True)(x))))
    case("TimeDistributed Dense", "sequence", lambda: L.TimeDistributed(L.Dense(3, activation="relu")))
    case("TimeDistributed Conv2D", "frames", lambda: L.TimeDistributed(L.Conv2D(3, 2, padding="same")))
    case("TimeDistributed pooling", "frames", lambda: L.TimeDistributed(L.GlobalAveragePooling2D(keepdims=True)))
    case("TimeDistributed BatchNormalization", "frames", lambda: L.TimeDistributed(L.BatchNormalization()))
    case("TimeDistributed model", "frames", lambda: L.TimeDistributed(k.Sequential([k.Input((4, 4, 2)), L.Conv2D(3, 2), L.Flatten(), L.Dense(2)])))
    case("TimeDistributed Bidirectional", "frames", lambda: lambda x: L.TimeDistributed(L.Bidirectional(L.LSTM(2)))(L.Reshape((3, 4, 8))(x)))
    # nested and shared
    case("Sequential", "image", lambda: k.Sequential([k.Input(SHAPES["image"]), L.Conv2D(3, 3), L.BatchNormalization(), L.ReLU()]))

    def functional():
        x = k.Input(SHAPES["vector"])
        y = L.Dense(6)(x)
        return k.Model(x, L.Add()([x, y]))

    case("Functional", "vector", functional)
    case("Functional twice", "vector", lambda: (lambda inner: lambda x: L.Concatenate()([inner(x), inner(L.Dense(6)(x))]))(functional()))

    def deep():
        inner = functional()
        x = k.Input(SHAPES["vector"])
        return k.Model(x, L.Dense(2)(inner(L.Dropout(0.1)(x))))

    case("Functional within Functional", "vector", deep)

    def shared(x):
        dense = L.Dense(6, activation="tanh")
        return L.Subtract()([dense(x), dense(dense(x))])

    case("a shared layer", "vector", lambda: shared)
    # arithmetic
    ops = k.ops if v3 else None
    c = np.array([1.0, 2.0, 3.0, 4.0], "float32")
    case("x + 1", "image", lambda: lambda x: x + 1.0)
    case("1 - x", "image", lambda: lambda x: 1.0 - x)
    case("x - c", "image", lambda: lambda x: x - c)
    case("x * c", "image", lambda: lambda x: x * c)
    case("x / 3", "image", lambda: lambda x: x / 3.0)
    case("2 / x", "image", lambda: lambda x: 2.0 / (x * x + 1.0))
    case("x / y", "image", lambda: lambda x: x / (x * x + 1.0))
    case("x - y", "image", lambda: lambda x: x - L.ReLU()(x))
    case("x * y spread", "image", lambda: lambda x: x * L.GlobalMaxPooling2D(keepdims=True)(x))
    case("-x", "image", lambda: lambda x: -x)
    case("x ** 3", "image", lambda: lambda x: x**3)
    case("x ** 0.5", "image", lambda: lambda x: (x * x) ** 0.5)
    case("x[:, 1:4, ::2]", "image", lambda: lambda x: x[:, 1:4, ::2])
    if v3:
        case("x[..., -1]", "image", lambda: lambda x: x[..., -1])
    case("x[:, -1]", "sequence", lambda: lambda x: x[:, -1])
    case("hard swish", "image", lambda: lambda x: L.Multiply()([x, L.ReLU(6.0)(x + 3.0) * (1.0 / 6.0)]))
    f = {
        "relu": (tf.nn.relu, "relu"), "relu6": (tf.nn.relu6, "relu6"), "sigmoid": (tf.sigmoid, "sigmoid"), "tanh": (tf.tanh, "tanh"), "exp": (tf.exp, "exp"), "silu": (tf.nn.silu, "silu"),
        "abs": (tf.abs, "abs"), "square": (tf.square, "square"), "softplus": (tf.nn.softplus, "softplus"), "softmax": (tf.nn.softmax, "softmax"), "sin": (tf.sin, "sin"), "floor": (tf.floor, "floor"),
        "elu": (tf.nn.elu, "elu"), "leaky_relu": (tf.nn.leaky_relu, "leaky_relu"), "sign": (tf.sign, "sign"), "selu": (tf.nn.selu, "selu"),
    }  # fmt: skip
    for name, (two, three) in f.items():
        case(f"op {name}", "image", lambda two=two, three=three: getattr(ops, three) if v3 else two)
    pick = lambda two, three: lambda: three if v3 else two
    case("op gelu", "image", pick(lambda x: tf.nn.gelu(x), lambda x: ops.gelu(x, approximate=False)))
    case("op gelu approximate", "image", pick(lambda x: tf.nn.gelu(x, approximate=True), lambda x: ops.gelu(x)))
    case("op mean of space", "image", pick(lambda x: tf.reduce_mean(x, [1, 2]), lambda x: ops.mean(x, (1, 2))))
    case("op mean of space keepdims", "image", pick(lambda x: tf.reduce_mean(x, [1, 2], keepdims=True), lambda x: ops.mean(x, (1, 2), keepdims=True)))
    case("op mean of channels", "image", pick(lambda x: tf.reduce_mean(x, -1, keepdims=True), lambda x: ops.mean(x, -1, keepdims=True)))
    case("op max of channels", "image", pick(lambda x: tf.reduce_max(x, -1, keepdims=True), lambda x: ops.max(x, -1, keepdims=True)))
    case("op sum", "sequence", pick(lambda x: tf.reduce_sum(x, 1), lambda x: ops.sum(x, 1)))
    case("op min", "sequence", pick(lambda x: tf.reduce_min(x, [1, 2]), lambda x: ops.min(x, (1, 2))))
    case("op clip", "image", pick(lambda x: tf.clip_by_value(x, -0.5, 0.5), lambda x: ops.clip(x, -0.5, 0.5)))
    case("op maximum", "image", pick(lambda x: tf.maximum(x, 0.2), lambda x: ops.maximum(x, 0.2)))
    case("op minimum of two", "image", pick(lambda x: tf.minimum(x, -x), lambda x: ops.minimum(x, -x)))
    case("op reshape", "image", pick(lambda x: tf.reshape(x, (-1, 30, 4)), lambda x: ops.reshape(x, (-1, 30, 4))))
    case("op transpose", "image", pick(lambda x: tf.transpose(x, (0, 3, 1, 2)), lambda x: ops.transpose(x, (0, 3, 1, 2))))
    case("op expand_dims", "sequence", pick(lambda x: tf.expand_dims(x, -1), lambda x: ops.expand_dims(x, -1)))
    case("op squeeze", "sequence", pick(lambda x: tf.squeeze(tf.expand_dims(x, 1), 1), lambda x: ops.squeeze(ops.expand_dims(x, 1), 1)))
    case("op concat", "image", pick(lambda x: tf.concat([x, x], 2), lambda x: ops.concatenate([x, x], 2)))
    case("op stack", "sequence", pick(lambda x: tf.stack([x, -x], 1), lambda x: ops.stack([x, -x], 1)))
    case("op split", "image", pick(lambda x: tf.split(x, 2, -1)[1], lambda x: ops.split(x, 2, -1)[1]))
    case("op split sizes", "image", pick(lambda x: tf.split(x, [1, 3], -1)[1], lambda x: ops.split(x, [1, 3], -1)[1]))
    case("op pad", "image", pick(lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]]), lambda x: ops.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]])))
    if not v3:
        case("op add_n", "image", lambda: lambda x: tf.add_n([x, x, -x]))
        case("op resize", "image", lambda: lambda x: tf.image.resize(x, (9, 5)))
    return cases


def classes_of(k):
    """Every layer class that this Keras has."""
    found = [getattr(k.layers, name) for name in dir(k.layers)]
    return sorted({c.__name__ for c in found if isinstance(c, type) and issubclass(c, k.layers.Layer)})


def make(k, v3, tag):
    k.utils.set_random_seed(7)
    rng = np.random.default_rng(7)
    inputs = {}
    outputs = []
    listed = []
    for name, (on, what) in layers_of(k, v3).items():
        if on not in inputs:
            inputs[on] = k.Input(SHAPES[on], name=on, dtype="int32" if on == "tokens" else "float32")
        try:
            outputs.append(what()(inputs[on]))
        except Exception as error:
            print(f"{tag}: '{name}' left out, {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
            continue
        listed.append({"name": name, "input": on, "h5": name not in NOT_IN_H5})
    model = k.Model(list(inputs.values()), outputs)
    fixed = {id(w) for layer in model._flatten_layers() if type(layer).__name__ == "Normalization" for w in layer.weights}
    for w in model.weights:
        if id(w) in fixed or "int" in str(w.dtype) or "uint" in str(w.dtype):
            continue
        value = rng.normal(0, 0.5, w.shape)
        w.assign(abs(value) + 0.3 if "variance" in w.name else value)
    x = {on: rng.integers(0, 9, (BATCH, *SHAPES[on])) if on == "tokens" else rng.normal(0, 1, (BATCH, *SHAPES[on])) for on in inputs}
    x = {on: value.astype("int32" if on == "tokens" else "float32").round(3) for on, value in x.items()}
    x["tokens"][:, -2:] = 0
    results = model.predict([x[on] for on in inputs], verbose=0)
    for case, y in zip(listed, results):
        y = np.asarray(y)
        assert np.isfinite(y).all(), case
        case["shape"] = list(y.shape)
        case["data"] = [float(f"{v:.5g}") for v in y.ravel()]
    io_json = {"x": {on: {"shape": list(v.shape), "data": v.ravel().tolist()} for on, v in x.items()}, "cases": listed, "classes": classes_of(k)}
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/m.keras")
        k.Model(model.inputs, [y for y, case in zip(outputs, listed) if case["h5"]]).save(f"{folder}/m.h5")
        with zipfile.ZipFile(f"{folder}/m.keras") as given, zipfile.ZipFile(f"{here}/{tag}.keras", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
            for name in given.namelist():
                packed.writestr(zipfile.ZipInfo(name), given.read(name), zipfile.ZIP_DEFLATED, 9)
        with open(f"{folder}/m.h5", "rb") as f:
            write_gz(f"{here}/{tag}.h5.gz", f.read())
    write_gz(f"{here}/{tag}.json.gz", json.dumps(io_json, separators=(",", ":")).encode())
    print(f"{tag}: {len(listed)} cases")


def halves():
    """A model whose weights are numbers of 16 bits, by hand: Keras keeps 32."""
    with tempfile.TemporaryDirectory() as folder:
        with h5py.File(f"{folder}/m.h5", "w") as f:
            f.attrs["keras_version"] = "2.15.0"
            inputs = {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, 2]}}
            dense = {"class_name": "Dense", "config": {"name": "d", "units": 3, "activation": "linear", "use_bias": True}}
            f.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"name": "m", "layers": [inputs, dense]}})
            group = f.create_group("model_weights").create_group("d")
            group.create_dataset("d/kernel:0", data=np.array([[1.5, -2, 3], [0.1, 65504, -1e-6]], "float16"))
            group.create_dataset("d/bias:0", data=np.array([1, 2, 3], "float64"))
        with open(f"{folder}/m.h5", "rb") as f:
            write_gz(f"{here}/halves.h5.gz", f.read())


def write_gz(path, data):
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9, mtime=0) as f:
        f.write(data)
    with open(path, "wb") as f:
        f.write(packed.getvalue())


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["halves", "keras2", "keras3"]
    if "halves" in wanted:
        halves()
    if "keras2" in wanted:
        make(tf_keras, False, "keras2")
    if "keras3" in wanted:
        make(keras, True, "keras3")
