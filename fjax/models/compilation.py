"""What `compile` was given, resolved as early as it can be."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fjax import losses, metrics, optimizers
from fjax.training import NamedMetric
from fjax.typing import GradientTransformation, Spec

# Names whose meaning depends on the shapes of targets and outputs.
CROSSENTROPY = ("crossentropy", "ce")
BY_SHAPES = ("accuracy", "acc", *CROSSENTROPY)


class Compilation(NamedTuple):
    """The compile arguments: names are resolved, except those that wait for the data's shapes.

    Attributes:
        optimizer: A pure optimizer.
        loss: A loss; "crossentropy" or "ce", whose kind the shapes decide; None for none.
        metrics: Identifiers of metrics.
        weighted_metrics: Identifiers of metrics in which sample weights count.
    """

    optimizer: GradientTransformation
    loss: losses.Loss | str | None
    metrics: tuple[Any, ...]
    weighted_metrics: tuple[Any, ...]

    def loss_for(self, targets: Spec | None, outputs: Spec) -> losses.Loss | None:
        """Return the loss for targets and outputs of these shapes."""
        if self.loss is None or targets is None:
            return None
        return losses.resolve(self.loss, tuple(targets.shape), tuple(outputs.shape))

    def named_metrics(self, targets: Spec, outputs: Spec) -> tuple[NamedMetric, ...]:
        """Return the metrics for targets and outputs of these shapes, under Keras's log names."""
        loss = self.loss_for(targets, outputs)
        named: list[NamedMetric] = []
        for identifiers, weighted in ((self.metrics, False), (self.weighted_metrics, True)):
            for identifier in identifiers:
                metric = metrics.resolve(
                    identifier, tuple(targets.shape), tuple(outputs.shape), loss
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


def _loss(loss: Any) -> losses.Loss | str | None:
    if loss is None or (isinstance(loss, str) and loss.lower() in CROSSENTROPY):
        return loss
    if isinstance(loss, list | tuple) or (isinstance(loss, Mapping) and "class_name" not in loss):
        raise TypeError(
            f"`compile`: the model has one output and takes one loss, received {loss!r}."
        )
    return losses.as_loss(loss)


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
