"""The arguments of `compile`, and the losses and metrics that they resolve to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fjax import losses, metrics
from fjax.data.structure import paths
from fjax.models.nested_entries import entries_by_output, loss_name
from fjax.training import NamedMetric, OutputLoss, OutputLosses
from fjax.training.custom_step import TestStep
from fjax.training.logs import losses_first
from fjax.training.step import TrainStep
from fjax.trees import branch
from fjax.typing import GradientTransformation, PyTree, Shape


def describes_compile(model: Any) -> bool:
    """Tell whether a class has Keras's methods that save and restore the arguments of `compile`."""
    return all(hasattr(model, name) for name in ("get_compile_config", "compile_from_config"))


class OutputConfig(NamedTuple):
    """The arguments of `compile` for one output.

    Attributes:
        loss: A loss; "crossentropy" or "ce", which is resolved by the shapes; None for an output
            without a loss.
        loss_name: The name of the loss in logs, or None.
        weight: The factor of the loss in the sum.
        metrics: Identifiers of metrics.
        weighted_metrics: Identifiers of metrics that use sample weights.
    """

    loss: Any
    loss_name: str | None
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
        names_outputs: Whether the logs have the names of several outputs.
    """

    loss: losses.Loss | OutputLosses | None
    metrics: tuple[NamedMetric, ...]
    names_outputs: bool

    def log_names(self) -> list[str]:
        """Return the logs in the order of `evaluate`'s list, which is Keras's.

        The loss comes first. Then come the loss of each output and the metrics, sorted by name; if
        the logs do not have the names of outputs, first the metrics in the order of `compile`.
        """
        measured = [entry.name for entry in self.metrics]
        if not self.names_outputs:
            return ["loss", *measured, *self._parts()]
        parts = ["loss", *self._parts()]
        return losses_first([*parts, *measured], parts)

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
        loss: One loss for all outputs, a tuple by position, a dict by name, tuples and dicts nested
            as the outputs, or None; a loss is an object, or "crossentropy" or "ce", which is
            resolved by the shapes.
        loss_names: The names of the losses in logs, in the same form.
        loss_weights: One number for all losses, numbers in the same forms, or None.
        metrics: Identifiers of metrics: a tuple of them and of tuples, a dict by name, or nested as
            the outputs.
        weighted_metrics: Identifiers of metrics that use sample weights, in the same forms.
        train_step: A user's training step, which replaces the engine's.
        test_step: A user's evaluation step, which replaces the engine's.
    """

    optimizer: GradientTransformation
    loss: Any
    loss_names: Any
    loss_weights: Any
    metrics: Any
    weighted_metrics: Any
    train_step: TrainStep | None = None
    test_step: TestStep | None = None

    @property
    def has_objective(self) -> bool:
        """Whether there is a loss or a metric."""
        return self.loss is not None or bool(self.metrics or self.weighted_metrics)

    def by_output(self, outputs: PyTree, names: Sequence[str]) -> dict[str, OutputConfig]:
        """Return the arguments for each output, in the order of the logs of losses.

        Args:
            outputs: The outputs, their shapes, or any tree of this structure.
            names: The names of the outputs.

        Raises:
            ValueError: A name is not an output, or a list has the wrong length.
        """
        by_name, loss_names = (
            {
                name: _single(entry)
                for name, entry in entries_by_output("loss", value, outputs, names).items()
            }
            for value in (self.loss, self.loss_names)
        )
        weights = _weights(self.loss_weights, by_name, outputs, names)
        measured, weighted = (
            _metrics_by_name(argument, getattr(self, argument), outputs, names)
            for argument in ("metrics", "weighted_metrics")
        )
        return {
            name: OutputConfig(
                loss, loss_names[name], weights[name], measured[name], weighted[name]
            )
            for name, loss in by_name.items()
        }

    def resolve(
        self,
        targets: PyTree,
        outputs: PyTree,
        names: Sequence[str],
        log_names: Sequence[str] | None = None,
    ) -> Objective:
        """Return the losses and metrics for targets and outputs of these shapes.

        Args:
            targets: The targets or their shapes, in the structure of the outputs; None if there are
                no targets.
            outputs: The outputs or their shapes.
            names: The names of the outputs.
            log_names: Their names in logs, of which several may be equal; None if the model does
                not name its outputs.
        """
        resolved = self._resolved(targets, outputs, names)
        has_prefixes = log_names is not None and len(names) > 1
        logged = _loss_logs(resolved, names, log_names)
        prefixes = [f"{name}_" if has_prefixes else "" for name in log_names or names]
        return Objective(
            loss=_joint_loss(resolved, targets, logged),
            metrics=_named_metrics(resolved, dict(zip(names, prefixes, strict=True)), logged),
            names_outputs=has_prefixes,
        )

    def loss_for(
        self, targets: PyTree, outputs: PyTree, names: Sequence[str]
    ) -> losses.Loss | OutputLosses | None:
        """Return the loss, as `resolve` does, without resolving the metrics."""
        resolved = self._resolved(targets, outputs, names)
        return _joint_loss(resolved, targets, _loss_logs(resolved, names, names))

    def _resolved(
        self, targets: PyTree, outputs: PyTree, names: Sequence[str]
    ) -> dict[str, "_ResolvedOutput"]:
        path_of = paths(outputs, names)
        return {
            name: _ResolvedOutput(config, path_of[name], targets, outputs)
            for name, config in self.by_output(outputs, names).items()
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


def _loss_logs(
    resolved: Mapping[str, _ResolvedOutput], names: Sequence[str], log_names: Sequence[str] | None
) -> dict[str, str]:
    """Return for each output with a loss the name of its log, without the ending `_loss`.

    As in Keras, outputs without names have the names of their losses. Where names are equal, which
    Keras logs as one, they have the positions of the outputs.
    """
    with_loss = {name: part for name, part in resolved.items() if part.config.loss is not None}
    if log_names is None:
        shown = {name: str(part.config.loss_name) for name, part in with_loss.items()}
    else:
        shown = dict(zip(names, log_names, strict=True))
    logged = {name: loss_name(part.path, shown[name]) for name, part in with_loss.items()}
    counts = Counter(logged.values())
    if log_names is None and len(counts) < len(logged):
        counts = Counter([*logged.values()] * 2)
    return {
        name: loss_name(with_loss[name].path, f"output_{names.index(name)}")
        if counts[log] > 1
        else log
        for name, log in logged.items()
    }


def _joint_loss(
    resolved: Mapping[str, _ResolvedOutput], targets: PyTree, logged: Mapping[str, str]
) -> losses.Loss | OutputLosses | None:
    terms = tuple(
        OutputLoss(logged[name], part.loss, part.path, part.config.weight)
        for name, part in resolved.items()
        if part.config.loss is not None and targets is not None
    )
    if not terms:
        return None
    # A single loss of a single array is used as it is, so that equal models share programs.
    is_plain = len(terms) == 1 and terms[0].output == () and terms[0].weight == 1.0
    return terms[0].loss if is_plain else OutputLosses(terms)


def _named_metrics(
    resolved: Mapping[str, _ResolvedOutput], prefixes: Mapping[str, str], logged: Mapping[str, str]
) -> tuple[NamedMetric, ...]:
    """Return the metrics of all outputs with Keras's log names.

    Args:
        resolved: The arguments of `compile` for each output.
        prefixes: What the names of the metrics of each output begin with.
        logged: The names of the losses.
    """
    taken = {"loss", *(f"{name}_loss" for name in logged.values() if len(prefixes) > 1)}
    named: list[NamedMetric] = []
    for argument in ("metrics", "weighted_metrics"):
        is_weighted = argument == "weighted_metrics"
        for output, prefix in prefixes.items():
            for identifier in getattr(resolved[output].config, argument):
                metric = resolved[output].metric(identifier)
                name = f"{prefix}{metrics.log_name(identifier)}"
                if is_weighted and name in taken:
                    name = f"{prefix}weighted_{metrics.log_name(identifier)}"
                name = _unique(name, taken)
                taken.add(name)
                named.append(NamedMetric(name, metric, is_weighted, resolved[output].path))
    return tuple(named)


def _single(entry: Any) -> Any:
    """Return the loss of one output, also where it is in a list of one.

    Raises:
        ValueError: There are several losses for one output.
    """
    single = entry[0] if isinstance(entry, tuple) and len(entry) == 1 else entry
    if isinstance(single, dict | tuple):
        raise ValueError(
            f"`compile`: `loss` has the entry {entry!r} for one output, which takes one loss: "
            "write a function that adds them up."
        )
    return single


def as_tuple(entry: Any) -> Any:
    """Return one identifier as a tuple of it, and no metrics as an empty tuple."""
    if entry is None:
        return ()
    return entry if isinstance(entry, dict | tuple) else (entry,)


def _weights(
    loss_weights: Any, losses_by_name: Mapping[str, Any], outputs: PyTree, names: Sequence[str]
) -> dict[str, float]:
    weights = entries_by_output("loss_weights", loss_weights, outputs, names)
    for name, weight in weights.items():
        if isinstance(loss_weights, Mapping) and (weight is None) != (losses_by_name[name] is None):
            has, lacks = ("a loss", "weight") if weight is None else ("a weight", "loss")
            raise ValueError(
                f"`loss_weights`: the output {name!r} has {has} and no {lacks}. Give one weight "
                "for each output with a loss; 1.0 leaves the loss as it is."
            )
    return {name: 1.0 if weight is None else weight for name, weight in weights.items()}


def _metrics_by_name(
    argument: str, value: Any, outputs: PyTree, names: Sequence[str]
) -> dict[str, tuple[Any, ...]]:
    if not isinstance(value, Mapping) and (len(names) == 1 or not value):
        flat = tuple(identifier for entry in value for identifier in as_tuple(entry))
        metrics_of = dict.fromkeys(names, flat)
    else:
        metrics_of = entries_by_output(argument, value, outputs, names)
    return {name: _of_one_output(argument, as_tuple(metrics_of[name])) for name in names}


def _of_one_output(argument: str, identifiers: Any) -> tuple[Any, ...]:
    """Return the metrics of one output.

    Raises:
        TypeError: They are nested, or one is None.
    """
    if isinstance(identifiers, dict) or any(isinstance(i, dict | tuple) for i in identifiers):
        raise TypeError(
            f"`compile`: `{argument}` has {identifiers!r} for one output, which takes a list of "
            "metrics."
        )
    if None in identifiers:
        raise TypeError("`compile`: a list of metrics for one output must not hold None.")
    return tuple(identifiers)


def _unique(name: str, taken: set[str]) -> str:
    base, number = name, 0
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name
