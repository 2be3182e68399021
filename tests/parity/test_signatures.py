"""`inspect.signature` of public classes and functions, which notebooks complete, beside Keras's."""

import importlib
import inspect

import keras
import pytest

import fjax

MODULES = [
    "", "activations", "applications", "callbacks", "constraints", "datasets", "initializers",
    "layers", "losses", "metrics", "ops", "optimizers", "optimizers.schedules", "preprocessing",
    "random", "regularizers", "saving", "tree", "utils", "visualization",
]  # fmt: skip

# Arguments of Keras that fjax's signatures lack, with the reason.
ABSENT = {
    # Accepted with their neutral values; fjax has no quantization and no LoRA.
    "lora_rank": "layers", "lora_alpha": "layers", "quantization_config": "layers",
    "gptq_unpacked_column_size": "layers",
    # Accepted with their neutral values; they mean nothing in JAX, or are deprecated in Keras.
    "renorm": "layers", "renorm_clipping": "layers", "renorm_momentum": "layers",
    "synchronized": "layers", "sparse": "layers", "ragged": "layers", "optional": "layers",
    # fjax chooses the layout of its own drawings.
    "subgraph": "utils", "splines": "utils",
    # fjax's own files need none of these.
    "safe_mode": "saving", "zipped": "saving", "max_shard_size": "saving",
}  # fmt: skip

# What is made by other functions in fjax.
OTHERS = {"KerasTensor", "StatelessScope", "Variable", "CallbackList", "remat"}


def parameters(function):
    """Return the names of the parameters that can be passed by name, or None without signature."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in signature.parameters.values() if p.kind not in kinds]


def pairs():
    for module in MODULES:
        path = f".{module}" if module else ""
        theirs, ours = (
            importlib.import_module(f"keras{path}"),
            importlib.import_module(f"fjax{path}"),
        )
        for name in sorted(set(dir(theirs)) & set(dir(ours))):
            one, other = getattr(theirs, name), getattr(ours, name)
            if not name.startswith("_") and callable(one) and callable(other):
                yield module, name, one, other


def test_signatures_have_the_argument_names_of_keras():
    checked, differing = 0, []
    for module, name, one, other in pairs():
        expected, found = parameters(one), parameters(other)
        if expected is None or name in OTHERS:
            continue
        missing = [each for each in expected if each not in (found or []) and each not in ABSENT]
        checked += 1
        if missing:
            differing.append(f"{module}.{name}: {missing}")
    assert checked > 700 and not differing, differing


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict", "compile", "summary", "get_layer",
    "train_on_batch", "test_on_batch", "predict_on_batch", "export", "load_weights"])  # fmt: skip
def test_methods_of_models_begin_with_the_arguments_of_keras(method):
    expected = parameters(getattr(keras.Sequential, method))
    assert parameters(getattr(fjax.Sequential, method))[: len(expected)] == expected


def test_a_class_shows_its_arguments_first_and_the_common_ones_last():
    shown = parameters(fjax.layers.Dense)
    own = [name for name in parameters(keras.layers.Dense) if name in shown]
    assert shown[: len(own)] == own and {"name", "dtype", "trainable"} <= set(shown[len(own) :])
