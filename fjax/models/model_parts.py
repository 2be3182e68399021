"""The parts of a `Model`."""

import dataclasses
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax

from fjax.core.weight_slot import give_slots
from fjax.metrics import Mean
from fjax.models.architecture import Architecture
from fjax.models.compile_config import CompileConfig, Objective
from fjax.models.layer_links import link_layers
from fjax.models.nested_models import keep_nested
from fjax.models.plans import Plans
from fjax.models.step_methods.compiled_metrics import CompiledMetrics
from fjax.models.weight_store import WeightStore
from fjax.optimizers.optimizer_variables import OptimizerVariables
from fjax.training.placement import Placement
from fjax.typing import Array, PyTree


@dataclasses.dataclass
class ModelParts:
    """The layers, the weights and the compile arguments of a model.

    Attributes:
        architecture: The layers and their inputs.
        weights: The train state.
        config: The arguments of `compile`, or None.
        programs: Programs that contain user code, which no other model may share.
        plans: What was derived from the parts.
        is_training: Whether a `fit` is running.
        nested: The models whose networks are layers of this one.
        optimizer_variables: The state of the optimizer in variables, once they are asked for.
        loss_tracker: The mean of the loss, for steps in Keras's form.
        compiled_metrics: The metrics of `compile`, likewise.
        last_logs: The logs of the last epoch or evaluation, or None.
        call_penalties: The penalty of each layer in the last call of the model on arrays, as far
            as it depends on the inputs; None before the first call.
    """

    architecture: Architecture
    weights: WeightStore
    config: CompileConfig | None = None
    programs: dict[Any, Any] = dataclasses.field(default_factory=dict)
    plans: Plans = dataclasses.field(default_factory=Plans)
    is_training: bool = False
    optimizer_variables: OptimizerVariables | None = None
    loss_tracker: Mean = dataclasses.field(default_factory=lambda: Mean(name="loss"))
    compiled_metrics: CompiledMetrics = dataclasses.field(default_factory=CompiledMetrics)
    last_logs: dict[str, Any] | None = None
    call_penalties: list[Array] | None = None
    nested: list[Any] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        keep_nested(self)

    @property
    def placement(self) -> Placement:
        """The devices for the arrays."""
        return self.weights.placement

    def require_config(self, function: str) -> CompileConfig:
        """Return the arguments of `compile`.

        Args:
            function: The function that needs them, for the error.

        Raises:
            RuntimeError: The model was not compiled.
        """
        if self.config is None:
            raise RuntimeError(
                f"The model {self.architecture.name!r} must be compiled before `{function}`: "
                "`model.compile(optimizer=…, loss=…)`."
            )
        return self.config

    def objective(self, function: str, targets: PyTree, outputs: PyTree) -> Objective:
        """Return the losses and metrics of `compile` for targets and outputs of these shapes.

        Args:
            function: The function that needs them, for the error.
            targets: The targets or their shapes, in the structure of the outputs, or None.
            outputs: The outputs or their shapes.

        Raises:
            RuntimeError: The model was not compiled.
        """
        architecture = self.architecture
        logged = architecture.output_log_names() if architecture.has_output_names() else None
        names = architecture.output_names()
        return self.require_config(function).resolve(targets, outputs, names, logged)

    def set_config(self, config: CompileConfig, placement: Placement) -> None:
        """Set the arguments of a `compile`; reset the programs and the optimizer's state."""
        if self.architecture.is_built:
            architecture = self.architecture
            config.by_output(architecture.output_tree(), architecture.output_names())
        self.weights.use_placement(placement)
        self.config = config
        self.programs, self.plans, self.optimizer_variables = {}, Plans(), None
        self.loss_tracker, self.compiled_metrics = Mean(name="loss"), CompiledMetrics()
        self.last_logs = None
        self.weights.use_optimizer(config.optimizer)
        self.architecture.fix_flags()

    def __getstate__(self) -> dict[str, Any]:
        unshared: dict[str, Any] = {
            "programs": {},
            "plans": Plans(),
            "optimizer_variables": None,
            "is_training": False,
            "call_penalties": None,
        }
        return {**vars(self), **unshared}

    def build(self, specs: Any, sample_shapes: Any = None) -> None:
        """Set the inputs, and derive all shapes; see `Architecture.build`."""
        give_slots(self.architecture.layer_tree)
        self.architecture.build(specs, sample_shapes)
        link_layers(self)

    def replace_layers(self, layers: Any, specs: Any, sample_shapes: Any = None) -> None:
        """Replace the layers; layers that remain keep their weights."""
        self.programs.clear()
        self.plans = Plans()
        self.optimizer_variables = self.call_penalties = None
        self.weights.unpack()
        give_slots(layers)
        self.architecture.replace_layers(layers, specs, sample_shapes)
        self.weights.rebuild()
        link_layers(self)
        keep_nested(self)


def execution_mode(run_eagerly: bool) -> AbstractContextManager[Any]:
    """Return the context in which steps run."""
    # Compilation is never enabled here, so that a user's `jax.disable_jit()` stays in effect.
    return jax.disable_jit() if run_eagerly else nullcontext()
