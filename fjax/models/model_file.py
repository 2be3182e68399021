"""The model file: what stands in it, and how a model is written to it and read from it.

The words are one JSON document: the model's class and architecture, its inputs, the compile
arguments, and how far the training is. The arrays stand under dotted names: `params.dense.kernel`,
`state.…`, `opt_state.…`, and `key`, the run's PRNG key.
"""

import os
import warnings
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core import InputLayer
from fjax.core.freezing import frozen_paths, trainable_part
from fjax.core.inputs import PLACEHOLDER_SIZES
from fjax.models.compile_config import CompileConfig
from fjax.storage import (
    ModelFileError,
    TensorFile,
    encode,
    named_leaves,
    open_tensors,
    write_tensors,
)
from fjax.storage.registration import name_of
from fjax.storage.strict_json import dumped
from fjax.storage.versions import stamp
from fjax.training import TrainState
from fjax.typing import PyTree

# Kinds of PRNG keys that a file may name.
KEYS = ("threefry2x32", "rbg", "unsafe_rbg")
COUNTERS = ("step", "epoch", "batch")
# So many names are told in an error.
TOLD = 5


def save(model: Any, path: Any, overwrite: bool, include_optimizer: bool) -> None:
    """Write a model; see `Model.save`."""
    _check_place(path, overwrite)
    document = described(model)
    document["compile"] = compilation_of(model) if include_optimizer else None
    tensors = {}
    if model.built:
        held = model.train_state
        if document["compile"] is None:
            held = held._replace(opt_state=())
        document |= position_of(held)
        tensors = tensors_of(held)
    write_tensors(path, tensors, {**stamp("model"), "document": dumped(document)})


def save_weights(model: Any, path: Any, overwrite: bool) -> None:
    """Write a model's weights; see `Model.save_weights`."""
    _check_place(path, overwrite)
    held = model.train_state
    write_tensors(path, named_weights(held.params, held.state), stamp("weights"))


def load_weights(model: Any, path: Any, skip_mismatch: bool) -> None:
    """Take a model's weights from a file; see `Model.load_weights`."""
    shapes = model.layer_shapes
    expected = named_weights(shapes.params, shapes.state)
    with open_tensors(path, "model", "weights") as file:
        there = {name for name in file.entries if name.startswith(("params.", "state."))}
        wrong = _misfits(file, expected, there)
        if wrong and not skip_mismatch:
            raise ModelFileError(path, f"its weights do not fit the model {model.name!r}: {wrong}")
        if wrong:
            warnings.warn(f"{str(path)!r}: left out, as they do not fit: {wrong}", stacklevel=3)
        held = model.train_state
        taken = {
            name: jnp.array(file.read(name), copy=True)
            for name, spec in expected.items()
            if name in there and _fits(file, name, spec)
        }
    parts = {
        part: _filled(
            part, getattr(held, part), {**named_weights(held.params, held.state), **taken}
        )
        for part in ("params", "state")
    }
    model.train_state = held._replace(**parts, opt_state=())


def as_json(model: Any) -> str:
    """Return the words of a model; see `Model.to_json`."""
    return dumped({**stamp("model"), **described(model)})


def described(model: Any) -> dict[str, Any]:
    """Return a model's class, architecture and inputs as plain data."""
    cls = type(model)
    whole: dict[str, Any] = {"config": model.get_config()}
    if cls.__module__.startswith("fjax."):
        whole["class"] = cls.__name__
    else:
        whole["custom"] = name_of(cls)
        if not cls.describes_layers():
            # Tells an author whose `__init__` takes more than `get_config` gives.
            whole["config"] = encode(model)["config"]
    return {"model": whole, "inputs": encode(_declared(model)) if model.built else None}


def fill(model: Any, file: TensorFile, document: Mapping[str, Any]) -> None:
    """Give a model the arrays of a file, each held against what the model says it must be.

    Args:
        model: The model, built and compiled as it was.
        file: The open file.
        document: Its words.

    Raises:
        ModelFileError: An array is missing, too much, or of another shape or type.
    """
    left_out: tuple[str, ...] = ()
    if model.model_parts.config is None and document["compile"] is not None:
        # It is left to the reader to compile the model otherwise.
        left_out = ("opt_state.",)
    model.model_parts.weights.adopt(read_train_state(model, file, document, (), left_out))


def read_train_state(
    model: Any,
    file: TensorFile,
    document: Mapping[str, Any],
    accumulators: PyTree,
    left_out: tuple[str, ...] = ("memory.",),
) -> TrainState:
    """Return the train state of a file, each array held against what it must be, then read.

    Args:
        model: The model that it is for, built and compiled.
        file: The open file.
        document: Its words.
        accumulators: Sums like those that the file must have.
        left_out: How the names of arrays begin that are no part of it.

    Raises:
        ModelFileError: An array is missing, too much, or of another shape or type.
    """
    shapes = model.layer_shapes
    trees = {
        "params": shapes.params,
        "state": shapes.state,
        "opt_state": _optimizer_shapes(model),
        "accumulators": accumulators,
    }
    expected: dict[str, Any] = {"key": _key_shape(document["key"])}
    for part, tree in trees.items():
        expected |= named_leaves(part, tree)
    wrong = _misfits(file, expected, {n for n in file.entries if not n.startswith(left_out)})
    if wrong:
        raise ModelFileError(file.path, f"its arrays do not fit the model: {wrong}")
    arrays = {name: jnp.array(file.read(name), copy=True) for name in expected}
    return TrainState(
        **{part: _filled(part, tree, arrays) for part, tree in trees.items()},
        key=jax.random.wrap_key_data(arrays["key"], impl=document["key"]),
        **{name: jnp.int32(_count(document["position"], name)) for name in COUNTERS},
    )


def _check_place(path: Any, overwrite: bool) -> None:
    folder = os.path.dirname(os.path.abspath(os.fspath(path)))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"`save`: there is no folder {folder!r}: make it first.")
    if os.path.isdir(path):
        raise IsADirectoryError(f"`save`: {str(path)!r} is a folder: name a file in it.")
    if not overwrite and os.path.exists(path):
        raise FileExistsError(
            f"`save`: the file {str(path)!r} is there, and `overwrite` is False: choose another "
            "name."
        )


def compilation_of(model: Any) -> dict[str, Any] | None:
    """Return a model's compile arguments as plain data."""
    compilation: CompileConfig | None = model.model_parts.config
    if compilation is None:
        return None
    told = {}
    for name, value in compilation._asdict().items():
        try:
            told[name] = encode(value, f"`compile`: `{name}`")
        except TypeError as error:
            raise TypeError(
                f"{error} To write the model without it: `save(…, include_optimizer=False)`."
            ) from None
    return told | {"run_eagerly": model.run_eagerly}


def _declared(model: Any) -> PyTree:
    """Return the inputs that the model was built for, as declarations."""
    shapes = iter(model.model_parts.architecture.built.sample_shapes)

    def declared(spec: Any) -> InputLayer:
        size = None if spec.shape[0] == PLACEHOLDER_SIZES[0][0] else spec.shape[0]
        return InputLayer(next(shapes), size, spec.dtype.name)

    return jax.tree.map(declared, model.model_parts.architecture.built.specs)


def position_of(held: TrainState) -> dict[str, Any]:
    """Return how far a training is, and the kind of its key, as plain data."""
    return {
        "position": {name: int(getattr(held, name)) for name in COUNTERS},
        "key": str(jax.random.key_impl(held.key)),
    }


def tensors_of(held: TrainState) -> dict[str, Any]:
    """Return the arrays of a train state by their names in a file, without its sums."""
    named = named_weights(held.params, held.state) | named_leaves("opt_state", held.opt_state)
    return named | {"key": jax.random.key_data(held.key)}


def named_weights(params: PyTree, state: PyTree) -> dict[str, Any]:
    """Return the arrays of the layers by their names in a file."""
    return named_leaves("params", params) | named_leaves("state", state)


def _optimizer_shapes(model: Any) -> PyTree:
    if model.model_parts.config is None:
        return ()
    trained = trainable_part(model.layer_shapes.params, frozen_paths(model.network))
    return jax.eval_shape(model.model_parts.config.optimizer.init, trained)


def _key_shape(kind: Any) -> Any:
    if kind not in KEYS:
        raise ValueError(f"there is no kind {kind!r} of keys")
    return jax.eval_shape(lambda: jax.random.key_data(jax.random.key(0, impl=kind)))


def _count(position: Mapping[str, Any], name: str) -> int:
    count = position[name]
    if type(count) is not int or not 0 <= count < 2**31:
        raise ValueError(f"{name!r} of its position is {count!r}, which counts nothing")
    return count


def _fits(file: TensorFile, name: str, spec: Any) -> bool:
    entry = file.entries[name]
    return entry.shape == tuple(spec.shape) and entry.dtype == spec.dtype


def _misfits(file: TensorFile, expected: Mapping[str, Any], there: set[str]) -> str:
    """Return what is missing, too much, or of another shape or type; nothing if all fits."""
    found = []
    for word, names in (
        ("missing", [name for name in expected if name not in there]),
        ("not in the model", sorted(there - expected.keys())),
        (
            "different",
            [
                f"{name} is {file.entries[name].dtype} {file.entries[name].shape}, "
                f"expected {np.dtype(spec.dtype)} {tuple(spec.shape)}"
                for name, spec in expected.items()
                if name in there and not _fits(file, name, spec)
            ],
        ),
    ):
        if names:
            more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
            found.append(f"{word}: {', '.join(name[:200] for name in names[:TOLD])}{more}")
    return "; ".join(found)


def _filled(prefix: str, tree: PyTree, arrays: Mapping[str, Any]) -> PyTree:
    """Return a tree of this structure whose leaves are the arrays of their names."""
    leaves = [arrays[name] for name in named_leaves(prefix, tree)]
    return jax.tree.unflatten(jax.tree.structure(tree), leaves)
