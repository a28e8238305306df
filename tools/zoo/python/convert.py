"""The official converter of PyPI: its own command line, after empty modules in place of those that its package imports and that Keras files do not need."""

import sys
import types


class Empty(types.ModuleType):
    """A module of nothing but itself."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Empty(name)


for name in ["tensorflow_decision_forests", "tensorflow_hub", "jax", "jax.experimental", "jax.experimental.jax2tf"]:
    sys.modules[name] = Empty(name)

from tensorflowjs.converters.converter import convert  # noqa: E402

convert(sys.argv[1:])
