"""The arguments of `compile`, and the losses and metrics that they resolve to."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fjax import losses, metrics, optimizers
from fjax.data.structure import check_count, check_names, paths
from fjax.errors import number_between
from fjax.training import NamedMetric, OutputLoss, OutputLosses
from fjax.training.custom_step import TestStep
from fjax.training.logs import losses_first
from fjax.training.step import TrainStep
from fjax.trees import branch
from fjax.typing import GradientTransformation, PyTree, Shape

# Names whose meaning depends on the shapes of targets and outputs.
CROSSENTROPY = ("crossentropy", "ce")
BY_SHAPES = ("accuracy", "acc", *CROSSENTROPY)


class OutputConfig(NamedTuple):
    """The arguments of `compile` for one output.

    Attributes:
        loss: A loss; "crossentropy" or "ce", which is resolved by the shapes; None for an output
            without a loss.
        weight: The factor of the loss in the sum.
        metrics: Identifiers of metrics.
        weighted_metrics: Identifiers of metrics that use sample weights.
    """

    loss: Any
    weight: float
    metrics: tuple[Any, ...]
    weighted_metrics: tuple[Any, ...]

    @property
    def needs_targets(self) -> bool:
        """Whether this output has a loss or a metric."""
        return self.loss is not None or bool(self.metrics or self.weighted_metrics)


class Objective(NamedTuple):
    """Losses and metrics for targets and outputs of known shapes.

    Attributes:
        loss: One loss for all outputs, or None.
        metrics: The metrics with Keras's log names.
        has_several_outputs: Whether the model has several outputs.
    """

    loss: losses.Loss | OutputLosses | None
    metrics: tuple[NamedMetric, ...]
    has_several_outputs: bool

    def log_names(self) -> list[str]:
        """Return the logs in the order of `evaluate`'s list, which is Keras's.

        The loss comes first, then the loss of each output, then the metrics in the order of
        `compile`; with several outputs, the metrics are sorted by name.
        """
        parts = ["loss", *self._parts()]
        names = [*parts, *(entry.name for entry in self.metrics)]
        return losses_first(names, parts, by_name=self.has_several_outputs)

    def directions(self) -> dict[str, str | None]:
        """Return for each log which values are better: "up", "down", or None if unknown."""
        measured = {entry.name: entry.metric.direction for entry in self.metrics}
        return {**dict.fromkeys(["loss", *self._parts()], "down"), **measured}

    def _parts(self) -> tuple[str, ...]:
        return self.loss.log_names if isinstance(self.loss, OutputLosses) else ()


class CompileConfig(NamedTuple):
    """The arguments of `compile`: names are resolved, unless their meaning depends on shapes.

    Attributes:
        optimizer: A pure optimizer.
        loss: One loss for all outputs, a tuple by position, a dict by name, or None; a loss is an
            object, or "crossentropy" or "ce", which is resolved by the shapes.
        loss_weights: One number for all losses, a tuple by position, a dict by name, or None.
        metrics: Identifiers of metrics: a tuple of them and of tuples, or a dict by name.
        weighted_metrics: Identifiers of metrics that use sample weights, in the same forms.
        train_step: A user's training step, which replaces the engine's.
        test_step: A user's evaluation step, which replaces the engine's.
    """

    optimizer: GradientTransformation
    loss: Any
    loss_weights: Any
    metrics: Any
    weighted_metrics: Any
    train_step: TrainStep | None = None
    test_step: TestStep | None = None

    @property
    def has_objective(self) -> bool:
        """Whether there is a loss or a metric."""
        return self.loss is not None or bool(self.metrics or self.weighted_metrics)

    def by_output(self, names: Sequence[str]) -> dict[str, OutputConfig]:
        """Return the arguments for each output.

        Raises:
            ValueError: A name is not an output, or a list has the wrong length.
        """
        by_name = _by_name("loss", self.loss, names)
        weights = _weights(self.loss_weights, by_name, names)
        measured, weighted = (
            _metrics_by_name(argument, getattr(self, argument), names)
            for argument in ("metrics", "weighted_metrics")
        )
        return {
            name: OutputConfig(by_name[name], weights[name], measured[name], weighted[name])
            for name in names
        }

    def resolve(self, targets: PyTree, outputs: PyTree, names: Sequence[str]) -> Objective:
        """Return the losses and metrics for targets and outputs of these shapes.

        Args:
            targets: The targets or their shapes, in the structure of the outputs; None if there are
                no targets.
            outputs: The outputs or their shapes.
            names: The names of the outputs.
        """
        loss = self.loss_for(targets, outputs, names)
        resolved = self._resolved(targets, outputs, names)
        return Objective(loss, _named_metrics(resolved, names), len(names) > 1)

    def loss_for(
        self, targets: PyTree, outputs: PyTree, names: Sequence[str]
    ) -> losses.Loss | OutputLosses | None:
        """Return the loss, as `resolve` does, without resolving the metrics."""
        # If losses and outputs are dicts, the logs have the order of the losses, as in Keras.
        by_key = isinstance(outputs, Mapping) and isinstance(self.loss, Mapping)
        order = [*self.loss] if by_key else names
        return _joint_loss(self._resolved(targets, outputs, names), order, targets)

    def _resolved(
        self, targets: PyTree, outputs: PyTree, names: Sequence[str]
    ) -> dict[str, "_ResolvedOutput"]:
        configs = self.by_output(names)
        return {
            name: _ResolvedOutput(configs[name], path, targets, outputs)
            for name, path in paths(outputs, names).items()
        }


class _ResolvedOutput:
    """One output's arguments of `compile` for targets and outputs of known shapes."""

    def __init__(self, config: OutputConfig, path: Any, targets: PyTree, outputs: PyTree) -> None:
        self.config, self.path = config, path
        self._targets, self._outputs = targets, outputs

    @property
    def shapes(self) -> tuple[Shape, Shape]:
        """The shapes of the targets and of the output."""
        target, output = (branch(tree, self.path) for tree in (self._targets, self._outputs))
        return tuple(target.shape), tuple(output.shape)

    @property
    def loss(self) -> Any:
        """The loss, or None."""
        return None if self.config.loss is None else losses.resolve(self.config.loss, *self.shapes)

    def metric(self, identifier: Any) -> metrics.Metric:
        """Return the metric of an identifier, which may depend on the loss."""
        return metrics.resolve(identifier, *self.shapes, self.loss)


def _joint_loss(
    resolved: Mapping[str, _ResolvedOutput], order: Sequence[str], targets: PyTree
) -> losses.Loss | OutputLosses | None:
    terms = tuple(
        OutputLoss(name, resolved[name].loss, resolved[name].path, resolved[name].config.weight)
        for name in order
        if resolved[name].config.loss is not None and targets is not None
    )
    if not terms:
        return None
    # A single loss of a single array is used as it is, so that equal models share programs.
    is_plain = len(terms) == 1 and terms[0].output == () and terms[0].weight == 1.0
    return terms[0].loss if is_plain else OutputLosses(terms)


def _named_metrics(
    resolved: Mapping[str, _ResolvedOutput], names: Sequence[str]
) -> tuple[NamedMetric, ...]:
    """Return the metrics of all outputs with Keras's log names."""
    several = len(names) > 1
    taken = {"loss"}
    if several:
        taken |= {f"{name}_loss" for name in names if resolved[name].config.loss is not None}
    named: list[NamedMetric] = []
    for argument in ("metrics", "weighted_metrics"):
        is_weighted = argument == "weighted_metrics"
        for output in names:
            prefix = f"{output}_" if several else ""
            for identifier in getattr(resolved[output].config, argument):
                metric = resolved[output].metric(identifier)
                name = f"{prefix}{metrics.log_name(identifier)}"
                if is_weighted and name in taken:
                    name = f"{prefix}weighted_{metrics.log_name(identifier)}"
                name = _unique(name, taken)
                taken.add(name)
                named.append(NamedMetric(name, metric, is_weighted, resolved[output].path))
    return tuple(named)


def make_config(
    optimizer: Any,
    loss: Any,
    loss_weights: Any = None,
    metric_identifiers: Any = None,
    weighted_metrics: Any = None,
    train_step: Any = None,
    test_step: Any = None,
) -> CompileConfig:
    """Return the arguments of `compile`, resolved; a misspelled name raises an error here."""
    for argument, step in (("train_step", train_step), ("test_step", test_step)):
        if step is not None and not callable(step):
            raise TypeError(
                f"`compile`: `{argument}` must be a function of `(train_state, batch)`, received "
                f"{step!r}."
            )
    return CompileConfig(
        optimizer=optimizers.get(optimizer),
        loss=_losses(loss),
        loss_weights=_loss_weights(loss_weights),
        metrics=_metrics("metrics", metric_identifiers),
        weighted_metrics=_metrics("weighted_metrics", weighted_metrics),
        train_step=train_step,
        test_step=test_step,
    )


def _losses(loss: Any) -> Any:
    several = list(loss.values()) if isinstance(loss, Mapping) else loss
    if isinstance(several, list | tuple) and all(entry is None for entry in several):
        raise ValueError(
            f"`compile`: `loss={loss!r}` has no loss for any output: name a loss, or leave "
            "`loss` out."
        )
    if isinstance(loss, Mapping) and "class_name" not in loss:
        return {name: _loss(_single(entry)) for name, entry in loss.items()}
    if isinstance(loss, list | tuple):
        return tuple(_loss(_single(entry)) for entry in loss)
    return _loss(loss)


def _single(entry: Any) -> Any:
    """Return the loss of one output, also where it is in a list of one.

    Raises:
        ValueError: There are several losses for one output.
    """
    if not isinstance(entry, list | tuple):
        return entry
    if len(entry) != 1:
        raise ValueError(
            f"`compile`: `loss` has the entry {entry!r} for one output, which takes one loss: "
            "write a function that adds them up."
        )
    return entry[0]


def _loss(loss: Any) -> Any:
    if loss is None or (isinstance(loss, str) and loss.lower() in CROSSENTROPY):
        return loss
    return losses.as_loss(loss)


def _loss_weights(loss_weights: Any) -> Any:
    def number(index: str, weight: Any) -> float:
        return number_between("compile", f"loss_weights{index}", weight, -float("inf"))

    if loss_weights is None:
        return None
    if isinstance(loss_weights, Mapping):
        return {name: number(f"[{name!r}]", weight) for name, weight in loss_weights.items()}
    if isinstance(loss_weights, list | tuple):
        return tuple(
            None if weight is None else number(f"[{i}]", weight)
            for i, weight in enumerate(loss_weights)
        )
    return number("", loss_weights)


def _metrics(argument: str, value: Any) -> Any:
    if value is None:
        return ()
    if isinstance(value, Mapping) and "class_name" not in value:
        return {name: _identifiers(entry) for name, entry in value.items()}
    if not isinstance(value, list | tuple):
        raise TypeError(
            f'`compile`: `{argument}` must be a list, such as {argument}=["accuracy"], or a dict '
            f"by output, received {value!r}."
        )
    return tuple(
        _identifiers(entry)
        if entry is None or isinstance(entry, list | tuple)
        else _identifiers(entry)[0]
        for entry in value
    )


def _identifiers(entry: Any) -> tuple[Any, ...]:
    """Return the metrics of one output as a tuple, after checking each."""
    if entry is None:
        return ()
    identifiers = tuple(entry) if isinstance(entry, list | tuple) else (entry,)
    return tuple(map(_identifier, identifiers))


def _identifier(identifier: Any) -> Any:
    """Return the identifier of a metric, checked; for a class, an object, used in all runs."""
    if identifier is None:
        raise TypeError("`compile`: a list of metrics for one output must not hold None.")
    if isinstance(identifier, str) and identifier.lower() in BY_SHAPES:
        return identifier
    metric = metrics.get(identifier)
    return metric if isinstance(identifier, type) else identifier


def _by_name(argument: str, value: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return an entry for each output; None if an output has no entry."""
    if isinstance(value, Mapping):
        check_names(argument, "output", value, names)
        return {name: value.get(name) for name in names}
    if isinstance(value, tuple):
        check_count(argument, value, names)
        return dict(zip(names, value, strict=True))
    return dict.fromkeys(names, value)


def _weights(
    loss_weights: Any, losses_by_name: Mapping[str, Any], names: Sequence[str]
) -> dict[str, float]:
    weights = _by_name("loss_weights", loss_weights, names)
    for name, weight in weights.items():
        if isinstance(loss_weights, Mapping) and (weight is None) != (losses_by_name[name] is None):
            has, lacks = ("a loss", "weight") if weight is None else ("a weight", "loss")
            raise ValueError(
                f"`loss_weights`: the output {name!r} has {has} and no {lacks}. Give one weight "
                "for each output with a loss; 1.0 leaves the loss as it is."
            )
    return {name: 1.0 if weight is None else weight for name, weight in weights.items()}


def _metrics_by_name(argument: str, value: Any, names: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    if isinstance(value, Mapping):
        check_names(argument, "output", value, names)
        return {name: value.get(name, ()) for name in names}
    if len(names) == 1 or not value:
        flat = [entry if isinstance(entry, tuple) else (entry,) for entry in value]
        return dict.fromkeys(names, tuple(identifier for entry in flat for identifier in entry))
    check_count(argument, value, names)
    entries = (entry if isinstance(entry, tuple) else (entry,) for entry in value)
    return dict(zip(names, entries, strict=True))


def _unique(name: str, taken: set[str]) -> str:
    base, number = name, 0
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name
