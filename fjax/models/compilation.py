"""What `compile` was given, resolved as early as it can be."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fjax import losses, metrics, optimizers
from fjax.errors import number_between
from fjax.models.arrangement import check_count, check_names, paths
from fjax.training import NamedMetric, OutputLoss, OutputLosses
from fjax.training.custom_step import TestStep
from fjax.training.logs import losses_first
from fjax.training.step import TrainStep
from fjax.trees import branch
from fjax.typing import GradientTransformation, PyTree, Shape

# Names whose meaning depends on the shapes of targets and outputs.
CROSSENTROPY = ("crossentropy", "ce")
BY_SHAPES = ("accuracy", "acc", *CROSSENTROPY)


class OutputCompilation(NamedTuple):
    """What `compile` was given for one output.

    Attributes:
        loss: A loss; "crossentropy" or "ce", whose kind the shapes decide; None for none.
        weight: What the loss counts in the sum.
        metrics: Identifiers of metrics.
        weighted_metrics: Identifiers of metrics in which sample weights count.
    """

    loss: Any
    weight: float
    metrics: tuple[Any, ...]
    weighted_metrics: tuple[Any, ...]

    @property
    def needs_targets(self) -> bool:
        """Whether anything is measured on this output."""
        return self.loss is not None or bool(self.metrics or self.weighted_metrics)


class Compilation(NamedTuple):
    """The compile arguments: names are resolved, except those that wait for the data's shapes.

    Attributes:
        optimizer: A pure optimizer.
        loss: One loss for all outputs, a tuple by position, a dict by name, or None; a loss is an
            object, or "crossentropy" or "ce", whose kind the shapes decide.
        loss_weights: One number for all losses, a tuple by position, a dict by name, or None.
        metrics: Identifiers of metrics: a tuple of them and of tuples, or a dict by name.
        weighted_metrics: Those in which sample weights count, likewise.
        train_step: A user's training step in the place of the engine's.
        test_step: A user's step of evaluation, likewise.
    """

    optimizer: GradientTransformation
    loss: Any
    loss_weights: Any
    metrics: Any
    weighted_metrics: Any
    train_step: TrainStep | None = None
    test_step: TestStep | None = None

    @property
    def measures(self) -> bool:
        """Whether there is a loss or a metric."""
        return self.loss is not None or bool(self.metrics or self.weighted_metrics)

    def by_output(self, names: Sequence[str]) -> dict[str, OutputCompilation]:
        """Return what each output is given.

        Raises:
            ValueError: A name is no output, or a list has another length.
        """
        by_name = _by_name("loss", self.loss, names)
        weights = _weights(self.loss_weights, by_name, names)
        measured, weighted = (
            _metrics_by_name(argument, getattr(self, argument), names)
            for argument in ("metrics", "weighted_metrics")
        )
        return {
            name: OutputCompilation(by_name[name], weights[name], measured[name], weighted[name])
            for name in names
        }

    def loss_for(
        self, targets: PyTree, outputs: PyTree, names: Sequence[str]
    ) -> losses.Loss | OutputLosses | None:
        """Return the loss for targets and outputs of these shapes, in the same structure."""
        given = self.by_output(names)
        where = paths(outputs, names)
        # A dict of losses beside a dict of outputs gives the order too, as in Keras.
        by_key = isinstance(outputs, Mapping) and isinstance(self.loss, Mapping)
        order = [*self.loss] if by_key else names
        terms = tuple(
            OutputLoss(
                name, _resolved(given[name], targets, outputs, where[name]), where[name],
                given[name].weight,
            )
            for name in order
            if given[name].loss is not None and targets is not None
        )  # fmt: skip
        if not terms:
            return None
        (first, *others) = terms
        # Of one array alone it is the loss itself: equal models share programs.
        plain = not others and first.output == () and first.weight == 1.0
        return first.loss if plain else OutputLosses(terms)

    def named_metrics(
        self, targets: PyTree, outputs: PyTree, names: Sequence[str]
    ) -> tuple[NamedMetric, ...]:
        """Return the metrics for targets and outputs of these shapes, under Keras's log names."""
        given = self.by_output(names)
        where = paths(outputs, names)
        several = len(names) > 1
        taken = {"loss"}
        if several:
            taken |= {f"{name}_loss" for name in names if given[name].loss is not None}
        made: list[NamedMetric] = []
        for argument in ("metrics", "weighted_metrics"):
            for output in names:
                one, path = given[output], where[output]
                for identifier in getattr(one, argument):
                    loss = _resolved(one, targets, outputs, path)
                    metric = metrics.resolve(identifier, *_shapes(targets, outputs, path), loss)
                    prefix = f"{output}_" if several else ""
                    name = f"{prefix}{metrics.log_name(identifier)}"
                    if argument == "weighted_metrics" and name in taken:
                        name = f"{prefix}weighted_{metrics.log_name(identifier)}"
                    name = _free(name, taken)
                    taken.add(name)
                    made.append(NamedMetric(name, metric, argument == "weighted_metrics", path))
        return tuple(made)


def log_order(loss: Any, named: Sequence[NamedMetric], several: bool) -> list[str]:
    """Return the logs in the order of `evaluate`'s list, which is Keras's.

    The loss, the loss of each output, and the metrics in the order in which they were given; with
    several outputs, the metrics are sorted by name.
    """
    parts = ["loss", *(loss.log_names if isinstance(loss, OutputLosses) else ())]
    return losses_first([*parts, *(entry.name for entry in named)], parts, by_name=several)


def log_directions(loss: Any, named: Sequence[NamedMetric]) -> dict[str, str | None]:
    """Return for each log where it is better: "up", "down", or None where nobody can tell."""
    parts = loss.log_names if isinstance(loss, OutputLosses) else ()
    measured = {entry.name: entry.metric.direction for entry in named}
    return {**dict.fromkeys(["loss", *parts], "down"), **measured}


def make_compilation(
    optimizer: Any,
    loss: Any,
    loss_weights: Any = None,
    given_metrics: Any = None,
    weighted_metrics: Any = None,
    train_step: Any = None,
    test_step: Any = None,
) -> Compilation:
    """Resolve the arguments of `compile`; a misspelt name is answered here, not in `fit`."""
    for argument, step in (("train_step", train_step), ("test_step", test_step)):
        if step is not None and not callable(step):
            raise TypeError(
                f"`compile`: `{argument}` must be a function of `(train_state, batch)`, received "
                f"{step!r}."
            )
    return Compilation(
        optimizer=optimizers.get(optimizer),
        loss=_losses(loss),
        loss_weights=_loss_weights(loss_weights),
        metrics=_metrics("metrics", given_metrics),
        weighted_metrics=_metrics("weighted_metrics", weighted_metrics),
        train_step=train_step,
        test_step=test_step,
    )


def _losses(loss: Any) -> Any:
    several = list(loss.values()) if isinstance(loss, Mapping) else loss
    if isinstance(several, list | tuple) and all(one is None for one in several):
        raise ValueError(
            f"`compile`: `loss={loss!r}` gives no output a loss: name one, or leave `loss` out."
        )
    if isinstance(loss, Mapping) and "class_name" not in loss:
        return {name: _loss(one) for name, one in loss.items()}
    if isinstance(loss, list | tuple):
        return tuple(_loss(one) for one in loss)
    return _loss(loss)


def _loss(loss: Any) -> Any:
    if loss is None or (isinstance(loss, str) and loss.lower() in CROSSENTROPY):
        return loss
    return losses.as_loss(loss)


def _loss_weights(given: Any) -> Any:
    def number(place: str, weight: Any) -> float:
        return number_between("compile", f"loss_weights{place}", weight, -float("inf"))

    if given is None:
        return None
    if isinstance(given, Mapping):
        return {name: number(f"[{name!r}]", weight) for name, weight in given.items()}
    if isinstance(given, list | tuple):
        return tuple(
            None if weight is None else number(f"[{i}]", weight) for i, weight in enumerate(given)
        )
    return number("", given)


def _metrics(argument: str, given: Any) -> Any:
    if given is None:
        return ()
    if isinstance(given, Mapping) and "class_name" not in given:
        return {name: _identifiers(entry) for name, entry in given.items()}
    if not isinstance(given, list | tuple):
        raise TypeError(
            f'`compile`: `{argument}` must be a list, such as {argument}=["accuracy"], or a dict '
            f"by output, received {given!r}."
        )
    return tuple(
        _identifiers(entry)
        if entry is None or isinstance(entry, list | tuple)
        else _identifiers(entry)[0]
        for entry in given
    )


def _identifiers(entry: Any) -> tuple[Any, ...]:
    """Return the metrics of one output as a tuple, each known to be one."""
    if entry is None:
        return ()
    identifiers = tuple(entry) if isinstance(entry, list | tuple) else (entry,)
    return tuple(map(_identifier, identifiers))


def _identifier(identifier: Any) -> Any:
    """Return the identifier of a metric, checked; of a class one object, the same in all runs."""
    if identifier is None:
        raise TypeError("`compile`: a list of metrics for one output must not hold None.")
    if isinstance(identifier, str) and identifier.lower() in BY_SHAPES:
        return identifier
    metric = metrics.get(identifier)
    return metric if isinstance(identifier, type) else identifier


def _by_name(argument: str, given: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return an entry for each output, None where there is none."""
    if isinstance(given, Mapping):
        check_names(argument, "output", given, names)
        return {name: given.get(name) for name in names}
    if isinstance(given, tuple):
        check_count(argument, given, names)
        return dict(zip(names, given, strict=True))
    return dict.fromkeys(names, given)


def _weights(given: Any, by_name: Mapping[str, Any], names: Sequence[str]) -> dict[str, float]:
    weights = _by_name("loss_weights", given, names)
    for name, weight in weights.items():
        if isinstance(given, Mapping) and (weight is None) != (by_name[name] is None):
            has, lacks = ("a loss", "weight") if weight is None else ("a weight", "loss")
            raise ValueError(
                f"`loss_weights`: the output {name!r} has {has} and no {lacks}. Give one weight "
                "for each output with a loss; 1.0 leaves the loss as it is."
            )
    return {name: 1.0 if weight is None else weight for name, weight in weights.items()}


def _metrics_by_name(argument: str, given: Any, names: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    if isinstance(given, Mapping):
        check_names(argument, "output", given, names)
        return {name: given.get(name, ()) for name in names}
    if len(names) == 1 or not given:
        flat = [entry if isinstance(entry, tuple) else (entry,) for entry in given]
        return dict.fromkeys(names, tuple(identifier for entry in flat for identifier in entry))
    check_count(argument, given, names)
    entries = (entry if isinstance(entry, tuple) else (entry,) for entry in given)
    return dict(zip(names, entries, strict=True))


def _resolved(one: OutputCompilation, targets: PyTree, outputs: PyTree, path: Any) -> Any:
    return None if one.loss is None else losses.resolve(one.loss, *_shapes(targets, outputs, path))


def _shapes(targets: PyTree, outputs: PyTree, path: Any) -> tuple[Shape, Shape]:
    return tuple(branch(targets, path).shape), tuple(branch(outputs, path).shape)


def _free(name: str, taken: set[str]) -> str:
    base, number = name, 0
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name
