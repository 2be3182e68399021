"""Keras's methods for steps, losses and metrics of a model."""

from collections.abc import Sequence
from typing import Any

from fjax.metrics import Metric
from fjax.models.authored_network import AuthoredNetwork
from fjax.models.memory import memory_report
from fjax.models.step_methods import losses, stateful
from fjax.models.step_methods.compiled_optimizer import CompiledOptimizer
from fjax.models.step_methods.stateless import layout_of, output_shape_for
from fjax.models.step_methods.variable_layout import VariableLayout
from fjax.training.memory_report import MemoryReport
from fjax.typing import Array
from fjax.variable import Variable, current_scope


class SteppedNetwork(AuthoredNetwork):
    """A network with steps in Keras's form, which a subclass may override.

    See `NetworkWithWeights` for the arguments.
    """

    @property
    def optimizer(self) -> CompiledOptimizer:
        """The optimizer, with its learning rate, which can be set."""
        return CompiledOptimizer(
            self.model_parts, self.model_parts.require_config("optimizer").optimizer
        )

    @property
    def loss(self) -> Any:
        """The loss that the model was compiled with; for several, a tuple or dict."""
        return self.model_parts.require_config("loss").loss

    def memory_report(self, batch_size: int = 32) -> MemoryReport:
        """Return the memory and the communication of one training step, as the compiler plans it.

        Nothing is trained, and no weights are made; the step is compiled. On several devices, the
        report is that of one device, with the collective operations in which it takes part.

        Args:
            batch_size: Samples per step.

        Raises:
            RuntimeError: The model was not compiled.
            ValueError: The input shape is not known yet.
            NotImplementedError: The model has a `train_step` of its own.

        >>> from fjax import Sequential
        >>> from fjax.layers import Dense, Input
        >>> model = Sequential([Input((250,)), Dense(4)])
        >>> model.compile("sgd", "mse")
        >>> model.memory_report(batch_size=100).arguments > 4 * 100 * 250
        True
        """
        return memory_report(self, self.model_parts, batch_size)

    def train_step(self, state: Any, data: Any) -> Any:
        """Return `(logs, state)` after one training step, in Keras's form; it is pure.

        A subclass may override it. The loop compiles it, and `fit`, callbacks and checkpoints stay
        the same. The engine's own step runs if no step, `compute_loss` or `compute_metrics` is
        overridden.

        Args:
            state: `(trainable_variables, non_trainable_variables, optimizer_variables,
                metrics_variables)`, lists of arrays.
            data: `(x, y)`, `(x, y, sample_weight)`, or `x` if there are no targets.

        Source: Keras's guide "Customizing what happens in `fit()` with JAX".
        """
        return stateful.default_train_step(self, state, data)

    def test_step(self, state: Any, data: Any) -> Any:
        """Return `(logs, state)` after one evaluation step, in Keras's form; it is pure.

        Args:
            state: `(trainable_variables, non_trainable_variables, metrics_variables)`.
            data: `(x, y)`, `(x, y, sample_weight)`, or `x` if there are no targets.
        """
        return stateful.default_test_step(self, state, data)

    def predict_step(self, state: Any, data: Any) -> Any:
        """Return `(outputs, non_trainable_variables)`, in Keras's form; it is pure.

        Args:
            state: `(trainable_variables, non_trainable_variables)`.
            data: `x`, or a tuple whose first part is `x`.
        """
        return stateful.default_predict_step(self, state, data)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Array:
        """Return the loss of a batch: the compiled loss plus `losses`. A subclass may override it.

        Args:
            x: The inputs.
            y: The targets.
            y_pred: The outputs.
            sample_weight: The weights of the samples.
            training: Whether it is a training step.

        Raises:
            ValueError: There is nothing to compute.
        """
        return losses.compute_loss(self, self.model_parts, y, y_pred, sample_weight)

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple[Array, tuple[list[Any], list[Any], list[Any]]]:
        """Return the loss of `compute_loss` for these variables, and the next variables.

        It is pure, and works under `jit` and `grad`.

        Args:
            trainable_variables: The values of `trainable_variables`.
            non_trainable_variables: The values of `non_trainable_variables`.
            metrics_variables: The values of `metrics_variables`.
            x: The inputs.
            y: The targets.
            y_pred: The outputs.
            sample_weight: The weights of the samples.
            training: Whether it is a training step.

        Returns:
            `(loss, (trainable_variables, non_trainable_variables, metrics_variables))`.

        Source: Keras's guide "Customizing what happens in `fit()` with JAX".
        """
        variables = trainable_variables, non_trainable_variables, metrics_variables
        return losses.stateless_compute_loss(self, variables, x, y, y_pred, sample_weight, training)

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Update the compiled metrics, and return the results of all. A subclass may override it.

        Args:
            x: The inputs.
            y: The targets.
            y_pred: The outputs.
            sample_weight: The weights of the samples.
        """
        return stateful.compute_metrics(self, self.model_parts, y, y_pred, sample_weight)

    @property
    def losses(self) -> list[Array]:
        """The losses of the layers: one for each layer with regularizers or `add_loss`.

        In a step, these are the losses of the last `stateless_call`; outside, those of the weights
        as they are now, and of the outputs of the last call of the model on arrays.
        """
        if not self._may_have_weights():
            return []
        return losses.current_losses(self.model_parts)

    @property
    def metrics(self) -> list[Metric]:
        """The metrics: of the loss, of `compile`, and those in the attributes of a subclass."""
        return stateful.metrics_of(self, self.model_parts)

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics`."""
        return [str(metric.name) for metric in self.metrics]

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of `metrics`."""
        return stateful.metrics_variables(self)

    def reset_metrics(self) -> None:
        """Reset all metrics, as at the beginning of an epoch."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the results of the metrics by name: of the last epoch or evaluation."""
        if current_scope() is None and self.model_parts.last_logs is not None:
            return dict(self.model_parts.last_logs)
        return stateful.results_of(self)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs for inputs of this shape, batch axis included.

        Args:
            input_shape: A shape; for several inputs, a list or dict of shapes.

        >>> from fjax import Sequential
        >>> from fjax.layers import Dense
        >>> Sequential([Dense(3)]).compute_output_shape((None, 8))
        (None, 3)
        """
        return output_shape_for(self.layer_tree, input_shape)

    def variable_layout(self) -> VariableLayout:
        """Return the order of the arrays in the lists that the pure functions take."""
        return layout_of(self.model_parts)
