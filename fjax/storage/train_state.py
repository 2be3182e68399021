"""The train state in a file: its arrays by dotted names, its counters and the kind of its PRNG key.

The arrays are named after their place in the train state: `params.dense.kernel`, `state.…`,
`opt_state.…`, `accumulators.…`, and `key`, the data of the PRNG key.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core.freezing import frozen_paths, trainable_part
from fjax.core.shapes import LayerShapes
from fjax.storage.array_store import ArrayReader
from fjax.storage.errors import ModelFileError
from fjax.storage.tensors import named_leaves
from fjax.training import TrainState
from fjax.training.placed_shapes import is_divided, with_shardings
from fjax.training.placement import DEFAULT, Placement
from fjax.typing import GradientTransformation, PyTree

# The kinds of PRNG keys that a file may name.
KEY_KINDS = ("threefry2x32", "rbg", "unsafe_rbg")
COUNTERS = ("step", "epoch", "batch")
# An error lists at most this many arrays.
MAX_LISTED = 5


class TrainStateShapes(NamedTuple):
    """The shapes and dtypes of the arrays that a file must have.

    Attributes:
        params: Those of the network's params.
        state: Those of the network's state.
        opt_state: Those of the optimizer's state; `()` without an optimizer.
        accumulators: Those of the sums behind the logs; `()` between two epochs.
    """

    params: PyTree
    state: PyTree
    opt_state: PyTree
    accumulators: PyTree = ()


def train_state_shapes(
    network: Any, shapes: LayerShapes, optimizer: GradientTransformation | None
) -> TrainStateShapes:
    """Return the shapes of a network's train state between two epochs.

    Args:
        network: The network, which knows the layers that are frozen.
        shapes: The shapes of its weights.
        optimizer: The optimizer, or None if the model is not compiled.
    """
    opt_state: PyTree = ()
    if optimizer is not None:
        trained = trainable_part(shapes.params, frozen_paths(network))
        opt_state = jax.eval_shape(optimizer.init, trained)
    return TrainStateShapes(shapes.params, shapes.state, opt_state)


def weight_tensors(params: PyTree, state: PyTree) -> dict[str, Any]:
    """Return the arrays of the layers by their names in a file."""
    return named_leaves("params", params) | named_leaves("state", state)


def train_state_tensors(train_state: TrainState) -> dict[str, Any]:
    """Return the arrays of a train state by their names in a file, without the accumulators."""
    weights = weight_tensors(train_state.params, train_state.state)
    optimizer = named_leaves("opt_state", train_state.opt_state)
    return weights | optimizer | {"key": jax.random.key_data(train_state.key)}


def train_state_document(train_state: TrainState) -> dict[str, Any]:
    """Return the counters of a train state and the kind of its key as plain data."""
    return {
        "position": {name: int(getattr(train_state, name)) for name in COUNTERS},
        "key": str(jax.random.key_impl(train_state.key)),
    }


def read_train_state(
    file: ArrayReader,
    document: Mapping[str, Any],
    shapes: TrainStateShapes,
    ignored_prefixes: tuple[str, ...] = (),
    placement: Placement = DEFAULT,
) -> TrainState:
    """Read a train state from a file, after comparing all arrays with the expected shapes.

    Each device reads only its own part of an array.

    Args:
        file: The open file.
        document: The file's document.
        shapes: The expected shapes and dtypes.
        ignored_prefixes: Arrays whose names begin with one of these are not part of it.
        placement: The devices for the arrays.

    Raises:
        ModelFileError: An array is missing, unexpected, or of another shape or dtype.
        ValueError: The document has no valid counters, or an unknown kind of key.
    """
    expected = named_specs(shapes, placement, {"key": _key_shape(document["key"])})
    names = {name for name in file.entries if not name.startswith(ignored_prefixes)}
    mismatches = describe_mismatches(file, expected, names)
    if mismatches:
        raise ModelFileError(file.path, f"its arrays do not fit the model: {mismatches}")
    arrays = file.read_placed(expected)
    return TrainState(
        **{part: replace_leaves(part, tree, arrays) for part, tree in shapes._asdict().items()},
        key=jax.random.wrap_key_data(arrays["key"], impl=document["key"]),
        **{name: jnp.int32(_counter(document["position"], name)) for name in COUNTERS},
    )


def named_specs(
    shapes: TrainStateShapes, placement: Placement, others: Mapping[str, Any] = {}
) -> dict[str, Any]:
    """Return the shapes of a train state with their shardings, by the names in a file.

    Args:
        shapes: The shapes.
        placement: The devices for the arrays.
        others: The shapes of other arrays by name, of which each device has the whole.
    """
    whole = TrainState(**shapes._asdict(), key=dict(others), step=(), epoch=(), batch=())  # type: ignore[arg-type]
    placed = with_shardings(whole, placement)
    specs: dict[str, Any] = dict(placed.key)
    for part in TrainStateShapes._fields:
        specs |= named_leaves(part, getattr(placed, part))
    return specs


def divides_arrays(shapes: TrainStateShapes, placement: Placement) -> bool:
    """Tell whether a placement divides some array of a train state among its devices."""
    whole = TrainState(**shapes._asdict(), key=(), step=(), epoch=(), batch=())  # type: ignore[arg-type]
    return is_divided(whole, placement)


def replace_leaves(prefix: str, tree: PyTree, arrays: Mapping[str, Any]) -> PyTree:
    """Return the tree with the arrays of these names as leaves; other leaves stay.

    >>> replace_leaves("params", {"kernel": 1, "bias": 2}, {"params.bias": 3})
    {'bias': 3, 'kernel': 1}
    """
    leaves = [arrays.get(name, leaf) for name, leaf in named_leaves(prefix, tree).items()]
    return jax.tree.unflatten(jax.tree.structure(tree), leaves)


def fits(file: ArrayReader, name: str, spec: Any) -> bool:
    """Tell whether an array of the file has the expected shape and dtype."""
    entry = file.entries[name]
    return entry.shape == tuple(spec.shape) and entry.dtype == spec.dtype


def describe_mismatches(file: ArrayReader, expected: Mapping[str, Any], names: set[str]) -> str:
    """Return which arrays are missing, unexpected or different; an empty string if all fit.

    Args:
        file: The open file.
        expected: The expected shapes and dtypes by name.
        names: The names of the file's arrays that count.
    """
    mismatches = {
        "missing": [name for name in expected if name not in names],
        "not in the model": sorted(names - expected.keys()),
        "different": [
            f"{name} is {file.entries[name].dtype} {file.entries[name].shape}, "
            f"expected {np.dtype(spec.dtype)} {tuple(spec.shape)}"
            for name, spec in expected.items()
            if name in names and not fits(file, name, spec)
        ],
    }
    return "; ".join(f"{kind}: {_listed(items)}" for kind, items in mismatches.items() if items)


def _listed(items: list[str]) -> str:
    more = f" and {len(items) - MAX_LISTED} more" if len(items) > MAX_LISTED else ""
    return f"{', '.join(item[:200] for item in items[:MAX_LISTED])}{more}"


def _key_shape(kind: Any) -> Any:
    if kind not in KEY_KINDS:
        raise ValueError(f"unknown kind {kind!r} of PRNG key, expected one of {KEY_KINDS}")
    return jax.eval_shape(lambda: jax.random.key_data(jax.random.key(0, impl=kind)))


def _counter(position: Mapping[str, Any], name: str) -> int:
    count = position[name]
    if type(count) is not int or not 0 <= count < 2**31:
        raise ValueError(f"the counter {name!r} is {count!r}, but must be a non-negative integer")
    return count
