"""Names of Keras that fjax does not have, and what to use instead."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

_PAIRS = (
    "any two pure functions are a layer here: `keras.Sequential([(init, apply), …])` with `params, "
    "state = init(key, x)` and `outputs, state = apply(params, state, x, key=None, training=False)`"
)
_STEPS = "pass `epochs=` and `steps_per_epoch=` to `fit`, and `steps=` to `evaluate` and `predict`"

# By module and name: what the user does instead.
ADVICE: Mapping[str, Mapping[str, str]] = {
    "fjax": {
        "RematScope": "apply `keras.remat` to a function that `call` calls, or `jax.checkpoint`",
        "SymbolicScope": "`jax.eval_shape` returns shapes without computing",
        "distillation": "override `compute_loss`, and make the teacher an attribute of the model; "
        "see the guide on steps",
        "legacy": "`keras.saving` has the functions for configurations",
        "src": "it is private in Keras, too: import the public name",
    },
    "fjax.config": dict.fromkeys(
        ("max_epochs", "set_max_epochs", "max_steps_per_epoch", "set_max_steps_per_epoch"), _STEPS
    ),
    "fjax.layers": {
        "JaxLayer": _PAIRS,
        "FlaxLayer": f"{_PAIRS}; of a flax module, `init` is `lambda key, x: (module.init(key, x), "
        "{})` and `apply` calls `module.apply(params, x)`",
        "TorchModuleWrapper": "a module of PyTorch is no function of JAX: write the layers with "
        "`keras.layers` and copy the weights with `set_weights`",
        "TFSMLayer": "a SavedModel is a program of TensorFlow: save the model of Keras as "
        "`.keras`, and read that file",
    },
    "fjax.optimizers": {"legacy": "as in Keras 3, use `keras.optimizers.Adam` and the others"},
    "fjax.saving": {
        "KerasFileEditor": "load the model, and change it or its weights with `set_weights`"
    },
    "fjax.utils": {"legacy": "`keras.saving` has the functions for configurations"},
}


def install_advice() -> None:
    """Let the loaded modules of `ADVICE` name the alternative where such a name is read of them.

    >>> import fjax
    >>> fjax.layers.TorchModuleWrapper
    Traceback (most recent call last):
        ...
    AttributeError: module 'fjax.layers' has no attribute 'TorchModuleWrapper': a module of \
PyTorch is no function of JAX: write the layers with `keras.layers` and copy the weights with \
`set_weights`.
    """
    for module in ADVICE.keys() & sys.modules.keys():
        namespace = vars(sys.modules[module])
        if not isinstance(namespace.get("__getattr__"), _FindName):
            namespace["__getattr__"] = _FindName(module, namespace.get("__getattr__"))


class _FindName:
    """The `__getattr__` of a module, with advice."""

    def __init__(self, module: str, find: Callable[[str], Any] | None) -> None:
        self._module, self._find = module, find

    def __call__(self, name: str) -> Any:
        if name in ADVICE[self._module]:
            advice = f": {ADVICE[self._module][name]}."
        elif self._find is not None:
            return self._find(name)
        else:
            advice = ""
        raise AttributeError(f"module {self._module!r} has no attribute {name!r}{advice}")
