"""A held network with its compilation: data is held against both, and programs are found."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from fjax.models.arrangement import arranged, check_shapes, paths
from fjax.models.compilation import Compilation, log_directions, log_order
from fjax.models.held_network import HeldNetwork
from fjax.models.text_inputs import encoded, first_specs
from fjax.training import (
    ArraySource,
    Batch,
    IterableSource,
    OutputLosses,
    Programs,
    init_accumulators,
    programs_for,
)
from fjax.training.accumulators import empty_means
from fjax.training.arrays import check_weight, rows
from fjax.training.custom_step import check_test_step, check_train_step
from fjax.training.programs import with_custom_steps
from fjax.trees import branch
from fjax.typing import PyTree


class Prepared(NamedTuple):
    """What a run over some data needs.

    Attributes:
        programs: The compiled programs.
        sums: The empty sums of its logs.
        logs: The names of the logs, in the order of `evaluate`'s list.
        directions: For each log where it is better: "up", "down", None where nobody can tell.
    """

    programs: Programs
    sums: PyTree
    logs: list[str]
    directions: dict[str, str | None]


class CompiledNetwork(HeldNetwork):
    """A network that data can be held against; see `Model`."""

    _compilation: Compilation | None

    def _compiled(self, what: str) -> Compilation:
        if self._compilation is None:
            raise RuntimeError(
                f"The model {self.name!r} must be compiled before `{what}`: "
                "`model.compile(optimizer=…, loss=…)`."
            )
        return self._compilation

    def _custom(self, which: str) -> Callable[..., Any] | None:
        """Return the user's "train_step" or "test_step": given to `compile`, or a method."""
        given = getattr(self._compiled(which), which)
        return given if given is not None else getattr(self, which, None)

    def _usable(self, batch: Batch) -> Batch:
        """Return the batch, its inputs arranged for the model; the first data may build it."""
        if not self.built:
            inputs = self._in_order(batch.inputs)
            self._build_for(*first_specs(self.name, self.layer_tree, inputs))
            if self._compilation is not None:
                self._compilation.by_output(self.output_names)
        self._check_statistics()
        batch = batch._replace(inputs=self._arranged(batch.inputs))
        self._check_inputs(batch.inputs)
        if hasattr(self.layer_tree, "check_inputs"):
            self.layer_tree.check_inputs(*batch.inputs)
        return batch

    def _in_order(self, inputs: tuple[PyTree, ...]) -> tuple[PyTree, ...]:
        """Return the first inputs as arguments, where they come by names that the network has."""
        names = getattr(self.network, "input_names", None)
        if not names or len(inputs) > 1 or not isinstance(inputs[0], dict):
            return inputs
        return tuple(arranged("x", "input", inputs[0], (0,) * len(names), names))

    def _arranged(self, inputs: tuple[PyTree, ...]) -> tuple[PyTree, ...]:
        """Return inputs in the network's structure, text among them as numbers."""
        known = self._known_specs()
        if len(known) == len(inputs) == 1 and all(hasattr(x, "shape") for x in (*known, *inputs)):
            return encoded(self.name, self.layer_tree, inputs)
        tree = known[0] if len(known) == 1 else known
        given = inputs[0] if len(inputs) == 1 else inputs
        names = self.input_names
        inputs = arranged("x", "input", given, tree, names)
        inputs = encoded(self.name, self.layer_tree, (inputs,) if len(known) == 1 else inputs)
        if len(names) > 1:
            check_shapes(inputs[0] if len(known) == 1 else inputs, self._shapes, tree, names)
        return inputs

    def _trainable(self, batch: Batch) -> Batch:
        """Return the batch, its inputs and targets held against the model and its losses."""
        batch = self._usable(batch)
        compilation = self._compiled("fit")
        if batch.targets is None:
            raise ValueError("The loss and the metrics need targets: `y` is None.")
        outputs, names = self._outputs_for(batch.inputs), self.output_names
        if len(names) == 1 and isinstance(batch.targets, tuple) and len(batch.targets) > 1:
            raise ValueError(
                f"The model {self.name!r} has one output and takes one array as `y`, received a "
                f"{type(batch.targets).__name__}."
            )
        given = compilation.by_output(names)
        needed = [name for name in names if given[name].needs_targets]
        targets = arranged("y", "output", batch.targets, outputs, names, needed)
        batch = batch._replace(targets=targets)
        if batch.sample_weight is not None and not hasattr(batch.sample_weight, "shape"):
            batch = self._with_weights(batch, outputs)
        loss = compilation.loss_for(targets, outputs, names)
        count = rows(batch)
        if isinstance(loss, OutputLosses):
            for term in loss.losses:
                shape = (count, *branch(outputs, term.output).shape[1:])
                name = f"y[{term.name!r}]" if len(names) > 1 else "y"
                term.loss.check_targets(branch(targets, term.output), shape, name)
        elif loss is not None:
            loss.check_targets(targets, (count, *outputs.shape[1:]), "y")
        return batch

    def _with_weights(self, batch: Batch, outputs: PyTree) -> Batch:
        """Return the batch with the weights of each output in the place of its targets."""
        names = self.output_names
        weights = arranged("sample_weight", "output", batch.sample_weight, outputs, names, ())
        for name, path in paths(outputs, names).items():
            weight = branch(weights, path)
            if weight is not None:
                place = f"[{name!r}]"
                target = branch(batch.targets, path)
                check_weight(f"sample_weight{place}", weight, target, f"y{place}")
        return batch._replace(sample_weight=weights)

    def _checked(self, which: str) -> Callable[[Batch], Batch]:
        """Return what holds data against the model for "train_step" or "test_step".

        Raises:
            ValueError: There is nothing to train on, or to measure.
        """
        compilation = self._compiled("fit" if which == "train_step" else "evaluate")
        if self._custom(which) is not None:
            return self._for_custom_step
        if which == "train_step" and compilation.loss is None:
            raise ValueError(
                "Training needs a loss: `model.compile(optimizer=…, loss=…)`, or a `train_step`."
            )
        if which == "test_step" and self._custom("train_step") and not compilation.measures:
            raise ValueError(
                "The model was compiled with a `train_step` and nothing to measure by: give "
                "`compile` a `test_step`, a loss or metrics."
            )
        return self._trainable

    def _for_custom_step(self, batch: Batch) -> Batch:
        # A user's step may take targets of any structure, unless a loss or metric says which.
        if self._compiled("fit").measures and batch.targets is not None:
            return self._trainable(batch)
        return self._usable(batch)

    def _prepare(self, which: str, source: ArraySource | IterableSource) -> Prepared:
        """Return what a run of "train_step" or "test_step" over this data needs."""
        compilation, example = self._compiled("fit"), source.example
        optimizer, own = compilation.optimizer, self._programs
        if self._custom(which) is not None:
            compiled = programs_for(self.network, None, optimizer, (), own)
            steps = self._custom("train_step"), self._custom("test_step")
            logs = self._custom_logs(which, source)
            programs = with_custom_steps(compiled, *steps, own)
            directions = {name: "down" if name == "loss" else None for name in logs}
            return Prepared(programs, empty_means(logs), logs, directions)
        outputs, names = self._outputs_for(example.inputs), self.output_names
        metrics = compilation.named_metrics(example.targets, outputs, names)
        loss = compilation.loss_for(example.targets, outputs, names)
        return Prepared(
            programs=programs_for(self.network, loss, optimizer, metrics, own),
            sums=init_accumulators(metrics, example.targets, outputs, loss),
            logs=log_order(loss, metrics, len(names) > 1),
            directions=log_directions(loss, metrics),
        )

    def _custom_logs(self, which: str, source: ArraySource | IterableSource) -> list[str]:
        """Return the names of a user's logs, after all that can be checked of the step."""
        step, held = self._custom(which), self.train_state._replace(accumulators=())
        assert step is not None
        check = check_train_step if which == "train_step" else check_test_step
        example, sizes = source.example, source.batch_sizes
        leaves, structure = jax.tree.flatten((held, example))
        key = (which, sizes, structure, *((leaf.shape, leaf.dtype) for leaf in leaves))
        if key not in self._programs:
            for size in sizes:
                try:
                    logs = check(step, held, _of_rows(example, size))
                except Exception as error:
                    error.add_note(f"In the model's `{which}`, with a batch of {size} samples.")
                    raise
            self._programs[key] = logs
        return self._programs[key]


def _of_rows(example: Batch, count: int) -> Batch:
    return jax.tree.map(lambda a: jax.ShapeDtypeStruct((count, *a.shape[1:]), a.dtype), example)
