"""The state of an optimizer as a flat list of arrays, as Keras's functions take it."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from fjax.trees import path_name
from fjax.typing import Array, GradientTransformation, PyTree, Spec

# The path of a param in the tree of params.
Path = tuple[str, ...]

ITERATION, LEARNING_RATE = ("iteration",), ("learning_rate",)

# A learning rate that a schedule computes from the iteration is not in the list.
SCHEDULED = ("learning_rate", "schedule")


class StateLayout:
    """The order of an optimizer's state in a flat list, for params that are a flat list too.

    The list begins with the iteration and the learning rate (not if it follows a schedule); then
    come moving averages and accumulators, then the slots of each param.

    Args:
        optimizer: The optimizer; one of fjax, or any pair of `init` and `update`.
        paths: The path of each param in the tree that the optimizer sees.
        specs: The shapes and dtypes of the params.
        constraints: A function of each updated param, or None.

    Attributes:
        paths: The paths of the params.
        keys: For each array in the list the names that identify it.
        specs: Their shapes and dtypes.

    >>> from fjax.optimizers import SGD
    >>> spec = jax.ShapeDtypeStruct((2,), "float32")
    >>> layout = StateLayout(SGD(0.1, momentum=0.9), [("dense", "bias")], [spec])
    >>> layout.keys
    [('iteration',), ('learning_rate',), ('dense', 'bias', 'momentum')]
    >>> params, variables = [jnp.ones(2)], layout.init([jnp.ones(2)])
    >>> params, variables = layout.update(variables, [jnp.ones(2)], params)
    >>> params[0], int(variables[0])
    (Array([0.9, 0.9], dtype=float32), 1)
    """

    def __init__(
        self,
        optimizer: GradientTransformation,
        paths: Sequence[Path],
        specs: Sequence[Spec],
        constraints: Sequence[Callable[[Array], Array] | None] = (),
    ) -> None:
        self.optimizer, self.paths = optimizer, tuple(paths)
        self._constraints = list(constraints) or [None] * len(self.paths)
        # Trees of JAX have their keys sorted; the slots are listed as the optimizer creates them.
        self._slots: list[str] = []

        def init(params: PyTree) -> PyTree:
            state = optimizer.init(params)
            self._slots = list(getattr(state, "slots", ()))
            return state

        state = jax.eval_shape(init, self._tree(specs))
        leaves, self._structure = jax.tree_util.tree_flatten_with_path(state)
        entries = [(*self._entry(path), index) for index, (path, _) in enumerate(leaves)]
        kept = [entry for entry in entries if entry[1] != SCHEDULED]
        kept.sort(key=lambda entry: entry[0])
        self.keys = [key for _, key, _ in kept]
        self.specs = [leaves[index][1] for _, _, index in kept]
        self._order, self._count = [index for _, _, index in kept], len(leaves)
        self._scheduled = next((index for _, key, index in entries if key == SCHEDULED), None)

    def init(self, params: Sequence[Any]) -> list[Array]:
        """Return the state before the first update."""
        return self.flatten(self.optimizer.init(self._tree(params)))

    def flatten(self, opt_state: PyTree) -> list[Array]:
        """Return the state as a list."""
        leaves = jax.tree.leaves(opt_state)
        return [leaves[index] for index in self._order]

    def unflatten(self, values: Sequence[Any]) -> PyTree:
        """Return the state of a list.

        Raises:
            ValueError: The list has another length.
        """
        self._check("optimizer_variables", values, len(self.keys), "of `optimizer.variables`")
        leaves: list[Any] = [None] * self._count
        for index, value in zip(self._order, values, strict=True):
            leaves[index] = _array(value)
        if self._scheduled is not None:
            optimizer: Any = self.optimizer
            leaves[self._scheduled] = optimizer.rate_at(leaves[self._order[0]])
        return jax.tree.unflatten(self._structure, leaves)

    def replace(self, opt_state: PyTree, index: int, value: Array) -> PyTree:
        """Return the state with the array at a position of the list replaced."""
        leaves, structure = jax.tree.flatten(opt_state)
        leaves[self._order[index]] = value
        return jax.tree.unflatten(structure, leaves)

    def update(
        self, optimizer_variables: Sequence[Any], grads: Sequence[Any], params: Sequence[Any]
    ) -> tuple[list[Array], list[Array]]:
        """Return the params after one update, and the next state; it is pure.

        Raises:
            ValueError: A list has another length, or a gradient is None.
        """
        count = len(self.paths)
        self._check("grads", grads, count, "for each trainable variable")
        self._check("trainable_variables", params, count, "for which the optimizer was built")
        missing = [i for i, grad in enumerate(grads) if grad is None]
        if missing:
            raise ValueError(
                f"`{type(self.optimizer).__name__}`: the gradient of "
                f"{'/'.join(self.paths[missing[0]])!r} is None. Give a gradient for each trainable "
                "variable; zeros for one that the loss does not depend on."
            )
        tree = self._tree([_array(param) for param in params])
        updates, opt_state = self.optimizer.update(
            self._tree([_array(grad) for grad in grads]), self.unflatten(optimizer_variables), tree
        )
        tree = jax.tree.map(lambda p, u: (p + u).astype(p.dtype), tree, updates)
        updated = [
            leaf if constraint is None else constraint(leaf)
            for leaf, constraint in zip(
                [_leaf(tree, path) for path in self.paths], self._constraints, strict=True
            )
        ]
        return updated, self.flatten(opt_state)

    def _check(self, argument: str, values: Sequence[Any], count: int, of: str) -> None:
        if not isinstance(values, list | tuple) or len(values) != count:
            received = len(values) if isinstance(values, list | tuple) else type(values).__name__
            raise ValueError(
                f"`{type(self.optimizer).__name__}`: `{argument}` must be a list of {count} "
                f"arrays, one {of}, received {received}."
            )

    def _tree(self, values: Sequence[Any]) -> PyTree:
        tree: dict[str, Any] = {}
        for path, value in zip(self.paths, values, strict=True):
            parent = tree
            for name in path[:-1]:
                parent = parent.setdefault(name, {})
            parent[path[-1]] = value
        return tree

    def _entry(self, path: tuple[Any, ...]) -> tuple[tuple[int, ...], Path]:
        """Return the position and the key of a leaf of the state."""
        optimizer: Any = self.optimizer
        field = getattr(path[0], "name", None) if path else None
        if not hasattr(optimizer, "rate_at"):
            # The state of another library is listed in its own order.
            return (0,), tuple(path_name(path).split("/"))
        if field == "step":
            return (0,), ITERATION
        if field == "learning_rate":
            return (1,), SCHEDULED if optimizer.has_schedule else LEARNING_RATE
        slot, param = path[1].key, tuple(key.key for key in path[2:])
        common, rule = optimizer.common_slots, self.paths.index(param)
        order = self._slots.index(slot)
        position = (2, order, rule) if slot in common else (3, rule, order)
        return position, (*param, slot)


def _leaf(tree: PyTree, path: Path) -> Any:
    for name in path:
        tree = tree[name]
    return tree


def _array(value: Any) -> Array:
    return jnp.asarray(getattr(value, "value", value))
