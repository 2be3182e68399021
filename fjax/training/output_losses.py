"""Losses of several outputs: their weighted sum is minimized, and each is logged."""

from collections.abc import Mapping
from typing import Any

from fjax.configuration import Configured
from fjax.errors import number_between
from fjax.training.masked_outputs import loss_of
from fjax.trees import branch
from fjax.typing import Array, PyTree

# The path of an output in the tree of outputs: a key or index, or a tuple of them from the outside
# inwards; `()` is the whole tree.
OutputPath = str | int | tuple[str | int, ...]


class OutputLoss(Configured):
    """The loss of one output.

    Args:
        name: The output's name; the log of this loss is `<name>_loss`.
        loss: `loss(targets, outputs, sample_weight)`, which returns a scalar, such as an object of
            `fjax.losses`.
        output: The path of the output in the tree of outputs, and of its targets in the tree of
            targets: a key of a dict, an index of a list, or a tuple of these; `()` is the whole
            tree.
        weight: The factor of the loss in the sum.

    Raises:
        TypeError: The loss is not a function, or the name is not a string.
        ValueError: The weight is not a finite number.

    >>> from fjax.losses import MeanSquaredError
    >>> OutputLoss("price", MeanSquaredError(), output="price", weight=0.9)
    OutputLoss(name='price', loss=MeanSquaredError(), output=('price',), weight=0.9)
    """

    name: str
    loss: Any
    output: Any = ()
    weight: float = 1.0

    def __post_init__(self) -> None:
        """Check the fields, and convert the path to a tuple."""
        if not isinstance(self.name, str) or not self.name:
            raise TypeError(
                f"`OutputLoss`: `name` must be a non-empty str, received {self.name!r}."
            )
        if not callable(self.loss):
            raise TypeError(
                f"`OutputLoss`: `loss` of {self.name!r} must be a function, such as one of "
                f"`fjax.losses`' objects, received {self.loss!r}."
            )
        self.output = output_path(self.output)
        self.weight = number_between("OutputLoss", "weight", self.weight, -float("inf"))


class OutputLosses(Configured):
    """The losses of several outputs as one loss, for `train_step`.

    The weighted sum is differentiated and logged as `loss`. If there are several losses, each is
    also logged, without its weight, as `<name>_loss`.

    Args:
        losses: A dict of the output's key to its loss; a list of losses by position; or a tuple of
            `OutputLoss`. None is an output without a loss.
        weights: The factor of each loss, in a dict or list of the same form; by default 1.

    Raises:
        TypeError: An entry is not a loss.
        ValueError: There is no loss, a name is repeated, or a weight has no loss.

    Source: Keras's page "Model training APIs", `compile(loss=…, loss_weights=…)`.

    >>> import jax.numpy as jnp
    >>> from fjax.losses import MeanAbsoluteError, MeanSquaredError
    >>> loss = OutputLosses(
    ...     {"price": MeanSquaredError(), "age": MeanAbsoluteError()}, weights={"age": 0.5}
    ... )
    >>> targets = {"price": jnp.zeros(4), "age": jnp.zeros(4)}
    >>> outputs = {"price": jnp.full(4, 3.0), "age": jnp.full(4, 2.0)}
    >>> print(loss(targets, outputs), loss.log_names)
    10.0 ('price_loss', 'age_loss')
    """

    losses: Any
    weights: Any = None

    def __post_init__(self) -> None:
        """Convert each entry to an `OutputLoss`."""
        if isinstance(self.losses, Mapping):
            entries = [(str(key), key, loss) for key, loss in self.losses.items()]
        elif isinstance(self.losses, list | tuple):
            entries = [(f"output_{i}", i, loss) for i, loss in enumerate(self.losses)]
        else:
            raise TypeError(
                "`OutputLosses` takes a dict, a list or a tuple of losses, received "
                f"{self.losses!r}."
            )
        weights = _by_key(self.weights)
        terms = []
        for name, key, loss in entries:
            if isinstance(loss, OutputLoss):
                terms.append(loss)
            elif loss is not None:
                terms.append(OutputLoss(name, loss, key, weights.pop(key, 1.0)))
            elif weights.pop(key, None) is not None:
                raise ValueError(f"`OutputLosses`: the output {name!r} has a weight but no loss.")
        if weights:
            raise ValueError(
                f"`OutputLosses`: there is no loss for the weights of {sorted(map(str, weights))}."
            )
        names = [term.name for term in terms]
        if not terms or len(set(names)) < len(names):
            raise ValueError(f"`OutputLosses` needs losses with different names, received {names}.")
        self.losses, self.weights = tuple(terms), None

    @property
    def log_names(self) -> tuple[str, ...]:
        """The names of the logs of single losses; empty for one loss, which is logged as `loss`."""
        names = tuple(f"{term.name}_loss" for term in self.losses)
        return names if len(names) > 1 else ()

    def values(
        self,
        targets: PyTree,
        outputs: PyTree,
        sample_weight: PyTree = None,
        valid: Array | None = None,
    ) -> tuple[Array, ...]:
        """Return the value of each loss, without its weight.

        Args:
            targets: In the structure of the outputs; an output without a loss needs no targets.
            outputs: The network's outputs.
            sample_weight: One array for all outputs, or a tree of arrays with the structure of the
                outputs.
            valid: 1 for each row that counts, 0 for the others; None if all rows count.
        """
        return tuple(
            loss_of(
                term.loss,
                branch(targets, term.output),
                branch(outputs, term.output),
                weight_at(sample_weight, term.output),
                valid,
            )
            for term in self.losses
        )

    def total(self, values: tuple[Array, ...]) -> Array:
        """Return the weighted sum of the values of the losses."""
        pairs = zip(self.losses, values, strict=True)
        first, *others = (v if term.weight == 1.0 else v * term.weight for term, v in pairs)
        return sum(others, first)

    def logs(self, values: tuple[Array, ...]) -> dict[str, Array]:
        """Return the values by the names of `log_names`."""
        return dict(zip(self.log_names, values, strict=True)) if self.log_names else {}

    def __call__(self, targets: PyTree, outputs: PyTree, sample_weight: PyTree = None) -> Array:
        """Return the weighted sum of all losses."""
        return self.total(self.values(targets, outputs, sample_weight))


def output_path(output: Any) -> tuple[str | int, ...]:
    """Return the path of an output as a tuple.

    >>> output_path("price"), output_path(0), output_path(())
    (('price',), (0,), ())
    """
    return tuple(output) if isinstance(output, list | tuple) else (output,)


def weight_at(sample_weight: PyTree, path: tuple[str | int, ...]) -> PyTree:
    """Return the weights of the output at a path; a single array applies to all outputs."""
    if sample_weight is None or hasattr(sample_weight, "shape"):
        return sample_weight
    return branch(sample_weight, path)


def _by_key(weights: Any) -> dict[Any, float]:
    if weights is None:
        return {}
    if isinstance(weights, Mapping):
        return dict(weights)
    if isinstance(weights, list | tuple):
        return dict(enumerate(weights))
    raise TypeError(f"`OutputLosses`: `weights` must be a dict or a list, received {weights!r}.")
