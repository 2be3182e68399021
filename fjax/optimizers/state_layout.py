"""The state of an optimizer as a flat list of arrays, as Keras's functions take it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from fjax.trees import path_name
from fjax.typing import Array, GradientTransformation, PyTree, Spec

# The path of a param in the tree of params.
Path = tuple[str, ...]

ITERATION, LEARNING_RATE = ("iteration",), ("learning_rate",)


class StateEntry(NamedTuple):
    """What a leaf of an optimizer's state is.

    Attributes:
        position: Where it is in the list, compared with other positions; leaves with the same key
            are one array of the list.
        key: The names that identify it.
        prefix: The name of the optimizer.
        name: What it is, such as "learning_rate" or the slot.
        param: The path of the param that it belongs to; None for the whole optimizer's.
        schedule: The function from the iteration, the array of the key `iteration`, to the value;
            such a leaf is not in the list.
        iteration: The key of this iteration.
    """

    position: tuple[int, ...]
    key: Path
    prefix: str
    name: str
    param: Path | None = None
    schedule: Callable[[Array], Array] | None = None
    iteration: Path = ITERATION


class StateLayout:
    """The order of an optimizer's state in a flat list, for params that are a flat list too.

    The list begins with the iteration and the learning rate (not if it follows a schedule); then
    come moving averages and accumulators, then the slots of each param, in Keras's order. The
    optimizer describes the leaves of its state (`state_entry`).

    Args:
        optimizer: The optimizer; one of fjax, or any pair of `init` and `update`.
        paths: The path of each param in the tree that the optimizer sees.
        specs: The shapes and dtypes of the params.
        constraints: A function of each updated param, or None.

    Attributes:
        paths: The paths of the params.
        param_specs: Their shapes and dtypes, by path.
        keys: For each array in the list the names that identify it.
        entries: What they are.
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
        self.param_specs = dict(zip(self.paths, specs, strict=True))
        self._constraints = list(constraints) or [None] * len(self.paths)
        created: list[PyTree] = []

        def init(params: PyTree) -> PyTree:
            # Trees of JAX have their keys sorted; the slots are listed as the optimizer creates
            # them.
            created[:] = [optimizer.init(params)]
            return created[0]

        state = jax.eval_shape(init, self._tree(specs))
        leaves, self._structure = jax.tree_util.tree_flatten_with_path(state)
        self._count = len(leaves)
        described = [self._describe(path, created[0]) for path, _ in leaves]
        self._scheduled = [
            (index, each.schedule, each.iteration)
            for index, each in enumerate(described) if each.schedule is not None
        ]  # fmt: skip
        indices: dict[Path, list[int]] = {}
        for index in sorted(range(len(leaves)), key=lambda index: described[index].position):
            if described[index].schedule is None:
                indices.setdefault(described[index].key, []).append(index)
        self._indices = list(indices.values())
        self.keys = list(indices)
        self.entries = [described[first] for first, *_ in self._indices]
        self.specs = [leaves[first][1] for first, *_ in self._indices]

    def init(self, params: Sequence[Any]) -> list[Array]:
        """Return the state before the first update."""
        return self.flatten(self.optimizer.init(self._tree(params)))

    def flatten(self, opt_state: PyTree) -> list[Array]:
        """Return the state as a list."""
        leaves = jax.tree.leaves(opt_state)
        return [leaves[first] for first, *_ in self._indices]

    def names(self, variable_paths: Sequence[str]) -> list[str]:
        """Return Keras's paths of the arrays, such as "adam/dense_kernel_momentum".

        Args:
            variable_paths: The paths of the variables of the params.
        """
        paths = dict(zip(self.paths, variable_paths, strict=True))
        names = []
        for entry in self.entries:
            words = [] if entry.param is None else paths[entry.param].split("/")
            names.append(f"{entry.prefix}/{'_'.join([*words, entry.name])}")
        return names

    def unflatten(self, values: Sequence[Any]) -> PyTree:
        """Return the state of a list.

        Raises:
            ValueError: The list has another length.
        """
        self._check("optimizer_variables", values, len(self.keys), "of `optimizer.variables`")
        leaves: list[Any] = [None] * self._count
        for indices, value in zip(self._indices, values, strict=True):
            for index in indices:
                leaves[index] = _array(value)
        by_key = dict(zip(self.keys, values, strict=True))
        for index, schedule, iteration in self._scheduled:
            leaves[index] = schedule(_array(by_key[iteration]))
        return jax.tree.unflatten(self._structure, leaves)

    def replace(self, opt_state: PyTree, index: int, value: Array) -> PyTree:
        """Return the state with the array at a position of the list replaced."""
        leaves, structure = jax.tree.flatten(opt_state)
        for position in self._indices[index]:
            leaves[position] = value
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

    def _describe(self, path: tuple[Any, ...], state: PyTree) -> StateEntry:
        if isinstance(self.optimizer, DescribesState):
            return self.optimizer.state_entry(path, state, self.param_specs)
        # The state of another library is listed in its own order.
        words = tuple(path_name(path).split("/"))
        return StateEntry((0,), words, type(self.optimizer).__name__, "_".join(words))


@runtime_checkable
class DescribesState(GradientTransformation, Protocol):
    """An optimizer that describes the leaves of its state."""

    def state_entry(
        self, path: tuple[Any, ...], state: PyTree, params: Mapping[Path, Spec]
    ) -> StateEntry:
        """Return what a leaf of the state is.

        Args:
            path: The leaf's path in the state, as JAX's tree functions give it.
            state: The state as `init` returns it.
            params: The shapes and dtypes of the params, in the order of the list.
        """
        ...


def _leaf(tree: PyTree, path: Path) -> Any:
    for name in path:
        tree = tree[name]
    return tree


def _array(value: Any) -> Array:
    return jnp.asarray(getattr(value, "value", value))
