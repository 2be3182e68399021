"""Match the inputs, targets and weights of a batch to a model, or raise."""

import dataclasses
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from operator import is_
from typing import Any

import jax
import numpy as np

from fjax.core.combinators import checks_inputs
from fjax.core.inputs import adjust_rank
from fjax.core.text_inputs import is_text
from fjax.data.class_weight import with_class_weight
from fjax.data.conversion import check_weight
from fjax.data.structure import check_shapes, match_structure, paths
from fjax.data.text_encoding import encode_text, encodes_text
from fjax.training.batch import Batch, rows
from fjax.training.output_losses import OutputLosses
from fjax.trees import branch
from fjax.typing import PyTree


@dataclasses.dataclass(frozen=True)
class InputExpectation:
    """The inputs of a built model; called with a batch, it returns the batch with these inputs.

    Attributes:
        model: The model's name, for errors.
        network: The model's layers.
        specs: The inputs that the model was built for, a tuple even for one input.
        shapes: The shape of one sample of each leaf of `specs`, None for an axis of any size.
        names: The names of these leaves.
        takes_one_array: Whether the model is a `Sequential`.
        declared_shapes: The shapes of samples as the user passes them, text included; inputs that
            lack a last axis of size 1, or have one too many, are given this number of axes. None if
            the inputs are not declared.
        has_observed_sizes: Whether the sizes are those of a first batch, and others may follow.
    """

    model: str
    network: Any
    specs: tuple[PyTree, ...]
    shapes: Sequence[tuple[int | None, ...]]
    names: Sequence[str]
    takes_one_array: bool = False
    declared_shapes: Sequence[tuple[int | None, ...]] | None = None
    has_observed_sizes: bool = False

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch with its inputs in the network's structure, and with text encoded.

        Raises:
            ValueError: The number, structure or shapes of the inputs do not fit.
            TypeError: A layer that takes text gets numbers.
        """
        inputs = batch.inputs
        signature = _signature(inputs)
        if signature in self._accepted:
            return batch
        if self.takes_one_array:
            one_array(inputs)
        inputs = self._arrange(inputs)
        self._check(inputs)
        is_traced = any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(inputs))
        if self.checks_values and not is_traced:
            self.network.check_inputs(*inputs)
        is_unchanged = len(inputs) == len(batch.inputs) and all(map(is_, inputs, batch.inputs))
        if signature is not None and is_unchanged and not self.checks_values:
            self._accepted.add(signature)
        return batch._replace(inputs=inputs)

    @cached_property
    def _accepted(self) -> set[Any]:
        """The signatures of inputs that passed all checks, and were not changed by them."""
        return set()

    @cached_property
    def checks_values(self) -> bool:
        """Whether a layer checks the values of the inputs."""
        return checks_inputs(self.network)

    @cached_property
    def _structure(self) -> Any:
        return jax.tree.structure(self.specs)

    @cached_property
    def _encodes_text(self) -> bool:
        """Whether an input goes to a layer that encodes text before training."""
        return encodes_text(self.network, len(self.names))

    @cached_property
    def _takes_any_size(self) -> bool:
        """Whether the layers check the sizes of the inputs, since no sizes were declared."""
        first = (*getattr(self.network, "layers", ()), None)[0]
        return self.has_observed_sizes or any(
            getattr(layer, "observed", False) for layer in (self.network, first)
        )

    def _arrange(self, inputs: tuple[PyTree, ...]) -> tuple[PyTree, ...]:
        is_single = len(self.specs) == 1
        leaves = (*self.specs, *inputs)
        if is_single and len(inputs) == 1 and all(hasattr(leaf, "shape") for leaf in leaves):
            return self._encode(self._adjust(inputs))
        tree = self.specs[0] if is_single else self.specs
        values = inputs[0] if len(inputs) == 1 else inputs
        arranged = match_structure("x", "input", self._known(values), tree, self.names)
        adjusted = self._adjust((arranged,) if is_single else arranged)
        encoded = self._encode(adjusted)
        if len(self.names) > 1:
            check_shapes(encoded[0] if is_single else encoded, self.shapes, tree, self.names)
        return encoded

    def _encode(self, inputs: tuple[PyTree, ...]) -> tuple[PyTree, ...]:
        """Return the inputs with text encoded."""
        if not self._encodes_text and not any(map(is_text, jax.tree.leaves(inputs))):
            return inputs
        return encode_text(self.model, self.network, inputs)

    def _known(self, values: PyTree) -> PyTree:
        """Return a dict by name without the entries that are no inputs, with a warning.

        Raises:
            ValueError: A list is passed for a dict of inputs whose keys are not sorted.
        """
        declared = getattr(self.network, "inputs", None)
        keys = list(declared) if isinstance(declared, Mapping) else []
        if isinstance(values, tuple) and len(values) > 1 and keys != sorted(keys):
            raise ValueError(
                f"The model {self.model!r} has the dict of inputs {', '.join(keys)}, and "
                "received a list, whose order is not theirs: pass `x` as a dict by name."
            )
        unknown = set(values) - set(self.names) if isinstance(values, Mapping) else set()
        if not unknown or not set(self.names) <= set(values):
            return values
        warnings.warn(
            f"`x` has {', '.join(sorted(map(repr, unknown)))} beside the inputs of the model "
            f"{self.model!r}, which are {', '.join(self.names)}: it is not used.",
            stacklevel=1,
        )
        return {name: values[name] for name in self.names}

    def _adjust(self, inputs: tuple[PyTree, ...]) -> tuple[PyTree, ...]:
        """Return the inputs with a last axis of size 1 added or removed, as Keras does."""
        if self.declared_shapes is None:
            return inputs
        leaves, structure = jax.tree.flatten(inputs)
        pairs = zip(leaves, self.declared_shapes, strict=True)
        return jax.tree.unflatten(structure, [adjust_rank(array, shape) for array, shape in pairs])

    def _check(self, inputs: tuple[PyTree, ...]) -> None:
        leaves, structure = jax.tree.flatten(inputs)
        if structure != self._structure and str(structure) != str(self._structure):
            raise ValueError(
                f"The model {self.model!r} takes {len(self.specs)} inputs of the structure "
                f"{self._structure}, but `x` has {len(inputs)} of the structure {structure}."
            )
        any_size = self._takes_any_size
        for array, shape in zip(leaves, self.shapes, strict=True):
            sample = tuple(array.shape[1:])
            fits = len(shape) == len(sample) and all(
                any_size or size in (None, actual)
                for size, actual in zip(shape, sample, strict=True)
            )
            if not fits:
                raise ValueError(
                    f"`x` has samples of shape {sample} (in all {tuple(array.shape)}), but the "
                    f"model {self.model!r} expects {shape}."
                )


@dataclasses.dataclass(frozen=True)
class Expectation:
    """The data of a compiled model; called with a batch, it returns the matched batch.

    Attributes:
        inputs: What the model expects of the inputs.
        outputs: Returns the shapes of the outputs for inputs.
        names: The names of the outputs.
        with_targets: The names of the outputs that have a loss or metrics.
        loss_for: Returns the loss for targets and outputs of these shapes, or None.
        targets_are_free: Whether a user's step takes targets of any structure.
        class_weight: As in `fit`.
    """

    inputs: InputExpectation
    outputs: Callable[[tuple[PyTree, ...]], PyTree]
    names: Sequence[str]
    with_targets: Collection[str]
    loss_for: Callable[[PyTree, PyTree], Any]
    targets_are_free: bool = False
    class_weight: Any = None

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch in the model's structure, with class weights multiplied in.

        Raises:
            ValueError: Inputs, targets or weights do not fit the model or its losses.
        """
        signature = _signature((*batch.inputs, batch.targets, batch.sample_weight))
        if signature in self._accepted:
            self._check_targets(batch, *self._accepted[signature])
            return batch
        matched = self.inputs(batch)
        outputs = self.outputs(matched.inputs)
        if not self.targets_are_free or (self.with_targets and batch.targets is not None):
            matched = self._match_targets(matched, outputs)
            loss = self.loss_for(matched.targets, outputs)
            self._check_targets(matched, outputs, loss)
            is_unchanged = all(map(is_, jax.tree.leaves(matched), jax.tree.leaves(batch)))
            if signature is not None and is_unchanged and not self._depends_on_values:
                self._accepted[signature] = outputs, loss
        return with_class_weight(matched, self.class_weight, outputs, self.names)

    @cached_property
    def _accepted(self) -> dict[Any, tuple[PyTree, Any]]:
        """The outputs and the loss of batches that fitted unchanged, by their signatures."""
        return {}

    @cached_property
    def _depends_on_values(self) -> bool:
        """Whether more than the targets is checked or computed from values."""
        return self.class_weight is not None or self.inputs.checks_values

    def _match_targets(self, batch: Batch, outputs: PyTree) -> Batch:
        if batch.targets is None:
            raise ValueError("The loss and the metrics need targets: `y` is None.")
        if len(self.names) == 1 and isinstance(batch.targets, tuple) and len(batch.targets) > 1:
            raise ValueError(
                f"The model {self.inputs.model!r} has one output and takes one array as `y`, "
                f"received a {type(batch.targets).__name__}."
            )
        needed = [name for name in self.names if name in self.with_targets]
        targets = match_structure("y", "output", batch.targets, outputs, self.names, needed)
        batch = batch._replace(targets=targets)
        if batch.sample_weight is not None and not hasattr(batch.sample_weight, "shape"):
            batch = self._match_weights(batch, outputs)
        return batch

    def _match_weights(self, batch: Batch, outputs: PyTree) -> Batch:
        weights = match_structure(
            "sample_weight", "output", batch.sample_weight, outputs, self.names, needed=()
        )
        for name, path in paths(outputs, self.names).items():
            weight = branch(weights, path)
            if weight is not None:
                target = branch(batch.targets, path)
                check_weight(f"sample_weight[{name!r}]", weight, target, f"y[{name!r}]")
        return batch._replace(sample_weight=weights)

    def _check_targets(self, batch: Batch, outputs: PyTree, loss: Any) -> None:
        count = rows(batch)
        if isinstance(loss, OutputLosses):
            for term in loss.losses:
                shape = (count, *branch(outputs, term.output).shape[1:])
                name = f"y[{term.name!r}]" if len(self.names) > 1 else "y"
                term.loss.check_targets(branch(batch.targets, term.output), shape, name)
        elif loss is not None:
            loss.check_targets(batch.targets, (count, *outputs.shape[1:]), "y")


def _signature(values: tuple[PyTree, ...]) -> Any:
    """Return the shapes of samples and the dtypes; None unless the values are arrays or None."""
    parts: list[Any] = []
    for array in values:
        if type(array) is np.ndarray:
            parts.append((array.shape[1:], array.dtype.num))
        elif array is None:
            parts.append(None)
        else:
            return None
    return tuple(parts)


def one_array(inputs: tuple[PyTree, ...]) -> Any:
    """Return the only array of the inputs of a `Sequential`.

    Raises:
        ValueError: There are several inputs, or they are named.
    """
    if len(inputs) == 1 and isinstance(inputs[0], Mapping):
        names = ", ".join(map(repr, inputs[0]))
        raise ValueError(
            f"A `Sequential` takes one array as `x`, received a dict with {names}. Pass the arrays "
            'themselves; for batches as dicts: `((batch["x"], batch["y"]) for batch in batches)`. '
            "To pass inputs by name, use a `fjax.Model(inputs, outputs)` whose inputs have these "
            "names."
        )
    if len(inputs) != 1 or not isinstance(inputs[0], np.ndarray | jax.Array):
        raise ValueError(
            f"A `Sequential` takes one array as `x`, received {len(inputs)} inputs of types "
            f"{[type(value).__name__ for value in inputs]}."
        )
    return inputs[0]
