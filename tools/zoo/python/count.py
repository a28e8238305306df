"""Multiply-accumulates of one example over the operations of TensorFlow's own graph of a model: a count that knows nothing of layers."""

import numpy as np
import tensorflow as tf


def macs(model):
    spec = tf.TensorSpec([1, *model.inputs[0].shape[1:]], "float32")
    graph = tf.function(lambda x: model(x, training=False)).get_concrete_function(spec).graph
    total, strangers = 0, set()
    for op in operations(graph):
        if op.type in ("Conv2D", "DepthwiseConv2dNative"):
            height, width, channels, _ = op.inputs[1].shape
            # of a depthwise one every output reads one channel only
            reads = height * width * (channels if op.type == "Conv2D" else 1)
            total += reads * int(np.prod(op.outputs[0].shape))
        elif op.type in ("MatMul", "BatchMatMulV2"):
            transposed = op.get_attr("transpose_a" if op.type == "MatMul" else "adj_x")
            total += op.inputs[0].shape[-2 if transposed else -1] * int(np.prod(op.outputs[0].shape))
        elif op.type in ("Conv3D", "Conv2DBackpropInput", "Einsum", "While", "StatelessWhile"):
            strangers.add(op.type)
    if strangers:
        raise ValueError(f"count.py does not count {sorted(strangers)}")
    return total


def operations(graph):
    """Those of the functions that it calls, too: Keras compiles grouped convolutions as functions of their own."""
    for op in graph.get_operations():
        if op.type in ("PartitionedCall", "StatefulPartitionedCall"):
            yield from operations(graph._get_function(op.get_attr("f").name).graph)
        else:
            yield op
