"""Writes TensorBoard's official schema of event files, as the `tensorboard` package carries it (compat/proto, descriptors only), to
standard output as a FileDescriptorSet: the input of `pnpm run generate`. Needs `pip install tensorboard==2.21.0`."""

import sys

from google.protobuf import descriptor_pb2
from tensorboard.compat.proto import event_pb2

files = descriptor_pb2.FileDescriptorSet()
seen = set()


def add(descriptor):
    if descriptor.name in seen:
        return
    seen.add(descriptor.name)
    for dependency in descriptor.dependencies:
        add(dependency)
    descriptor.CopyToProto(files.file.add())


add(event_pb2.DESCRIPTOR)
sys.stdout.buffer.write(files.SerializeToString())
