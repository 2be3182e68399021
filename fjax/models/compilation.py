"""What `compile` was given, resolved as early as it can be."""

from collections.abc import Callable
from typing import Any, NamedTuple

from fjax import losses, metrics, optimizers
from fjax.training import NamedMetric
from fjax.typing import Array, GradientTransformation, Spec

# Names whose metric depends on the shapes of targets and outputs.
BY_SHAPES = ("accuracy", "acc", "crossentropy", "ce")


class Compilation(NamedTuple):
    """The compile arguments: names are resolved, except those that wait for the data's shapes.

    Attributes:
        optimizer: A pure optimizer.
        loss: A loss, a scalar function of targets, outputs and weights; None for none.
        metrics: Identifiers of metrics.
        weighted_metrics: Identifiers of metrics in which sample weights count.
    """

    optimizer: GradientTransformation
    loss: Callable[..., Array] | None
    metrics: tuple[Any, ...]
    weighted_metrics: tuple[Any, ...]

    def named_metrics(self, targets: Spec, outputs: Spec) -> tuple[NamedMetric, ...]:
        """Return the metrics for targets and outputs of these shapes, under Keras's log names."""
        named: list[NamedMetric] = []
        for identifiers, weighted in ((self.metrics, False), (self.weighted_metrics, True)):
            for identifier in identifiers:
                metric = metrics.resolve(
                    identifier, tuple(targets.shape), tuple(outputs.shape), self.loss
                )
                name = metrics.log_name(identifier)
                taken = {entry.name for entry in named} | {"loss"}
                if weighted and name in taken:
                    name = f"weighted_{name}"
                base, number = name, 0
                while name in taken:
                    number += 1
                    name = f"{base}_{number}"
                named.append(NamedMetric(name, metric, weighted))
        return tuple(named)


def make_compilation(
    optimizer: Any, loss: Any, given_metrics: Any, weighted_metrics: Any
) -> Compilation:
    """Resolve the arguments of `compile`; a misspelt name is answered here, not in `fit`."""
    return Compilation(
        optimizer=optimizers.get(optimizer),
        loss=_loss(loss),
        metrics=_metrics("metrics", given_metrics),
        weighted_metrics=_metrics("weighted_metrics", weighted_metrics),
    )


def _loss(loss: Any) -> Callable[..., Array] | None:
    return None if loss is None else losses.as_loss(loss)


def _metrics(argument: str, given: Any) -> tuple[Any, ...]:
    if given is None:
        return ()
    if isinstance(given, str) or not isinstance(given, list | tuple):
        raise TypeError(
            f'`compile`: `{argument}` must be a list, such as {argument}=["accuracy"], '
            f"received {given!r}."
        )
    flat: list[Any] = []
    for identifier in given:
        flat.extend(identifier if isinstance(identifier, list | tuple) else [identifier])
    for identifier in flat:
        if not (isinstance(identifier, str) and identifier.lower() in BY_SHAPES):
            metrics.get(identifier)
    return tuple(flat)
