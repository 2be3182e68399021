"""The programs and accumulators of a run of a compiled model over data."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from fjax.configuration import code_of
from fjax.data.expectation import Expectation
from fjax.data.windows import shapes_of
from fjax.models.model_parts import ModelParts
from fjax.models.step_methods.forms import TEST, TRAIN, has_stateful_step, own_form_step
from fjax.models.step_methods.stateful import StatefulSteps
from fjax.training import Batch, Programs, Source, init_accumulators, programs_for
from fjax.training.accumulators import empty_means
from fjax.training.batch import rows
from fjax.training.custom_step import check_test_step, check_train_step
from fjax.training.filled_batches import can_be_filled
from fjax.training.logs import losses_first
from fjax.training.output_layouts import check_output_rules
from fjax.training.programs import no_loss, with_custom_steps, with_stateful_steps
from fjax.typing import PyTree


class Plan(NamedTuple):
    """The programs and accumulators of a run.

    Attributes:
        programs: The compiled programs.
        empty_sums: The accumulators of an epoch before its first step.
        log_names: The names of the logs, in the order of `evaluate`'s list.
        directions: For each log, which values are better: "up", "down", or None if unknown.
        fill: Whether batches with fewer rows may be filled, in the same program.
        store: Stores the accumulators of an epoch in the metrics of the model, if they are there.
    """

    programs: Programs
    empty_sums: PyTree
    log_names: list[str]
    directions: dict[str, str | None]
    fill: bool = False
    store: Callable[[PyTree], None] = lambda accumulators: None

    def in_order(self, logs: dict[str, Any]) -> Any:
        """Return the logs in Keras's form: one number, or a list."""
        values = [logs[name] for name in self.log_names]
        return values[0] if len(values) == 1 else values


def custom_step(model: Any, parts: ModelParts, kind: str) -> Callable[..., Any] | None:
    """Return the user's step: an argument of `compile` or a method of the class; else None."""
    argument = getattr(parts.require_config(kind), kind)
    return argument if argument is not None else own_form_step(model, kind)


def _is_stateful(model: Any, parts: ModelParts, kind: str) -> bool:
    """Return whether the steps have Keras's form."""
    return getattr(parts.require_config(kind), kind) is None and has_stateful_step(model, kind)


def require_objective(model: Any, parts: ModelParts, kind: str) -> None:
    """Raise if a model cannot run `TRAIN` or `TEST` steps.

    Raises:
        RuntimeError: The model was not compiled.
        ValueError: There is no loss to train with, or nothing to evaluate.
    """
    config = parts.require_config("fit" if kind == TRAIN else "evaluate")
    is_custom = custom_step(model, parts, kind) is not None or _is_stateful(model, parts, kind)
    if (
        kind == TRAIN
        and not is_custom
        and config.loss is None
        # Layers may add losses, which is known once the model is built.
        and parts.architecture.is_built
        and not parts.architecture.has_penalty()
    ):
        raise ValueError(
            "Training needs a loss: `model.compile(optimizer=…, loss=…)`, or a `train_step`."
        )
    measures_nothing = kind == TEST and not is_custom and not config.has_objective
    if measures_nothing and custom_step(model, parts, TRAIN) is not None:
        raise ValueError(
            "The model was compiled with a `train_step` and has nothing to evaluate: pass a "
            "`test_step`, a loss or metrics to `compile`."
        )


def expectation(model: Any, parts: ModelParts, kind: str, class_weight: Any = None) -> Expectation:
    """Return what a built and compiled model expects of a batch for training or evaluation.

    Args:
        model: The model.
        parts: Its parts.
        kind: `TRAIN` or `TEST`.
        class_weight: As in `fit`.
    """
    config = parts.require_config("fit" if kind == TRAIN else "evaluate")
    if class_weight is not None:
        return _expectation(model, parts, kind, class_weight)
    return parts.plans.get(
        ("expectation", kind), (config, model.input_expectation()),
        lambda: (_expectation(model, parts, kind, None), ()),
    )  # fmt: skip


def _expectation(model: Any, parts: ModelParts, kind: str, class_weight: Any) -> Expectation:
    config, architecture = parts.require_config("fit"), parts.architecture
    names = architecture.output_names()
    outputs = config.by_output(architecture.output_tree(), names)
    return Expectation(
        inputs=model.input_expectation(),
        outputs=architecture.output_specs,
        names=names,
        with_targets=[name for name in names if outputs[name].needs_targets],
        loss_for=lambda targets, specs: _loss_for(parts, targets, specs, names),
        targets_are_free=custom_step(model, parts, kind) is not None
        or not names
        or (_is_stateful(model, parts, kind) and config.loss is None)
        or (architecture.has_penalty() and not config.has_objective),
        class_weight=class_weight,
    )


def _loss_for(parts: ModelParts, targets: PyTree, outputs: PyTree, names: list[str]) -> Any:
    """Return the loss for targets and outputs like these."""
    config = parts.require_config("fit")
    samples = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), targets)
    key = ("loss", shapes_of((samples, outputs)))
    return parts.plans.get(key, (config,), lambda: (config.loss_for(targets, outputs, names), ()))


def matched_batch(model: Any, batch: Batch, kind: str = TRAIN, class_weight: Any = None) -> Batch:
    """Return a batch in the structure that a compiled model expects; it builds the model.

    Args:
        model: The model.
        batch: The arrays, converted.
        kind: `TRAIN` or `TEST`.
        class_weight: As in `fit`.
    """
    require_objective(model, model.model_parts, kind)
    model.build_for(batch)
    return expectation(model, model.model_parts, kind, class_weight)(batch)


def plan_for(model: Any, parts: ModelParts, kind: str, source: Source) -> Plan:
    """Return the plan of a run of `TRAIN` or `TEST` steps over a source."""
    return make_plan(model, parts, kind, source.spec, source.batch_sizes)


def make_plan(
    model: Any, parts: ModelParts, kind: str, spec: Batch, batch_sizes: tuple[int, ...]
) -> Plan:
    """Return the plan of a run.

    Args:
        model: The model.
        parts: Its parts.
        kind: `TRAIN` or `TEST`.
        spec: The shapes and dtypes of a full batch, or its arrays.
        batch_sizes: The numbers of rows that a batch can have.
    """
    if custom_step(model, parts, kind) is not None:
        return _custom_plan(model, parts, kind, spec, batch_sizes)
    if _is_stateful(model, parts, kind):
        return _stateful_plan(model, parts, kind, spec)
    if kind == TRAIN and parts.require_config("fit").loss is None:
        require_objective(model, parts, kind)
    watched = _compiled(parts)
    return parts.plans.get((kind, shapes_of(spec)), watched, lambda: _plan(parts, kind, spec))


def matched_with_plan(
    model: Any, parts: ModelParts, kind: str, batch: Batch, class_weight: Any = None
) -> tuple[Batch, Plan]:
    """Return a batch in the structure that the model expects, and the plan of a run over it.

    For shapes that were seen before, whether all is as it was is asked once, not for each part.

    Args:
        model: The model.
        parts: Its parts.
        kind: `TRAIN` or `TEST`.
        batch: The arrays, converted.
        class_weight: As in `fit`.
    """
    has_own_step = custom_step(model, parts, kind) is not None or _is_stateful(model, parts, kind)
    if has_own_step or class_weight is not None or not parts.architecture.is_built:
        matched = matched_batch(model, batch, kind, class_weight)
        return matched, make_plan(model, parts, kind, matched, (rows(matched),))
    require_objective(model, parts, kind)
    model.build_for(batch)

    def derive() -> tuple[tuple[Expectation, Plan], tuple[Any, ...]]:
        expect = expectation(model, parts, kind)
        plan, made_of = _plan(parts, kind, expect(batch))
        return (expect, plan), made_of

    watched = (*_compiled(parts), parts.config, model.input_expectation())
    expect, plan = parts.plans.get(("batch", kind, shapes_of(batch)), watched, derive)
    matched = expect(batch)
    if matched is not batch:
        # Its shapes may depend on the values, as those of text do.
        plan = make_plan(model, parts, kind, matched, (rows(matched),))
    return matched, plan


def _compiled(parts: ModelParts) -> tuple[Any, ...]:
    """Return what the programs of the engine's own steps depend on."""
    config = parts.require_config("fit")
    network = parts.architecture.network
    return network, config.loss, config.optimizer, config.metrics, config.weighted_metrics


def _plan(parts: ModelParts, kind: str, spec: Batch) -> tuple[Plan, tuple[Any, ...]]:
    """Return the plan of a run of the engine's own steps, and what it is made of."""
    config, network = parts.require_config("fit"), parts.architecture.network
    outputs = parts.architecture.output_specs(spec.inputs)
    shapes = parts.architecture.built.layer_shapes
    check_output_rules(parts.placement, network, shapes.params, shapes.state, spec.inputs)
    objective = parts.objective("fit", spec.targets, outputs)
    loss, metrics = objective.loss or no_loss, objective.metrics
    plan = Plan(
        programs=programs_for(
            network, loss, config.optimizer, metrics, parts.programs, parts.placement
        ),
        empty_sums=init_accumulators(metrics, spec.targets, outputs, loss),
        log_names=objective.log_names(),
        directions=objective.directions(),
        fill=can_be_filled(network, objective.loss, metrics, training=kind == TRAIN),
    )
    return plan, (loss, metrics)


def _custom_plan(
    model: Any, parts: ModelParts, kind: str, spec: Batch, batch_sizes: tuple[int, ...]
) -> Plan:
    optimizer = parts.require_config("fit").optimizer
    network, placement = parts.architecture.network, parts.placement
    compiled = programs_for(network, None, optimizer, (), parts.programs, placement)
    train_step, test_step = (custom_step(model, parts, each) for each in (TRAIN, TEST))
    logs = _custom_logs(model, parts, kind, spec, batch_sizes)
    return Plan(
        programs=with_custom_steps(compiled, train_step, test_step, parts.programs, placement),
        empty_sums=empty_means(logs),
        log_names=logs,
        directions={name: "down" if name == "loss" else None for name in logs},
    )


def _stateful_plan(model: Any, parts: ModelParts, kind: str, spec: Batch) -> Plan:
    network, optimizer = parts.architecture.network, parts.require_config("fit").optimizer
    placement = parts.placement
    compiled = programs_for(network, None, optimizer, (), parts.programs, placement)
    key = ("steps", kind, code_of(type(model)))
    if key not in parts.programs:
        parts.programs[key] = StatefulSteps(model, parts)
    steps: StatefulSteps = parts.programs[key]
    train_step, test_step = (steps.train, None) if kind == TRAIN else (None, steps.test)
    train_state = parts.weights.train_state._replace(accumulators=())
    empty_sums = steps.empty_sums(kind, train_state, spec)
    logs = losses_first(list(empty_sums["logs"]))
    return Plan(
        programs=with_stateful_steps(compiled, train_step, test_step, parts.programs, placement),
        empty_sums=empty_sums,
        log_names=logs,
        directions={name: "down" if name == "loss" else None for name in logs},
        store=steps.store,
    )


def _custom_logs(
    model: Any, parts: ModelParts, kind: str, spec: Batch, batch_sizes: tuple[int, ...]
) -> list[str]:
    """Return the names of the logs of a user's step, after checking it with each batch size."""
    step, train_state = custom_step(model, parts, kind), parts.weights.train_state
    assert step is not None
    train_state = train_state._replace(accumulators=())
    check = check_train_step if kind == TRAIN else check_test_step
    leaves, structure = jax.tree.flatten((train_state, spec))
    shapes = ((leaf.shape, leaf.dtype) for leaf in leaves)
    key = (kind, batch_sizes, structure, *shapes)
    if key not in parts.programs:
        logs: list[str] = []
        for size in batch_sizes:
            try:
                logs = check(step, train_state, _with_rows(spec, size))
            except Exception as error:
                error.add_note(f"In the model's `{kind}`, with a batch of {size} samples.")
                raise
        parts.programs[key] = logs
    return parts.programs[key]


def _with_rows(spec: Batch, count: int) -> Batch:
    return jax.tree.map(lambda a: jax.ShapeDtypeStruct((count, *a.shape[1:]), a.dtype), spec)
