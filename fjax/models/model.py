"""`Model`: Keras's names for a network, its weights and its training."""

import warnings
from collections.abc import Mapping
from typing import Any, Self

import jax

from fjax.callbacks import History
from fjax.core import Graph, SymbolicTensor
from fjax.data.conversion import to_batch
from fjax.data.expectation import InputExpectation
from fjax.data.source import read
from fjax.distribution.current import as_placement, current_placement
from fjax.errors import check_keywords, explain_keywords
from fjax.models import arguments
from fjax.models.compile_arguments import check_execution, make_config
from fjax.models.construction import SharedNetwork, network_of
from fjax.models.evaluate import evaluate
from fjax.models.fit import Validation, fit
from fjax.models.loss_scaling import with_loss_scale
from fjax.models.nested_models import makes_models_of
from fjax.models.on_batch import measure_on_batch, train_on_batch
from fjax.models.predict import call, classes_of, inputs_of, predict, predict_on_batch
from fjax.models.replicas import Replicas, fit_replicas
from fjax.models.step_methods.methods import SteppedNetwork
from fjax.models.step_methods.stateless import call_in_scope, call_without_weights
from fjax.models.subclassed import is_authored_model, require_outputs
from fjax.optimizers.stateful import StatefulOptimizer
from fjax.training import Batch
from fjax.variable import current_scope


class Model(SteppedNetwork):
    """A network that can be compiled, trained, evaluated and used, by Keras's names.

    It is created in one of three ways: `Model(inputs, outputs)` from symbolic tensors, whose layers
    keep the weights that they have in other models; `Model(network)` from a pure pair, with its own
    weights; or by a subclass that creates layers in `__init__` and defines `call(inputs,
    training=None)`.

    Args:
        network: A layer, or anything that `serial` accepts as one; or `inputs` and `outputs` by
            position.
        inputs: The symbolic tensors that the model begins with: one, or a list, tuple or dict; see
            `fjax.Input`.
        outputs: The symbolic tensors that the model ends with, in the same forms.
        input_shape: The shape of one sample; by default it is taken from the first data.
        name: The model's name.
        seed: Determines the weights and all random numbers of the training; by default drawn from
            Python's `random`, which `fjax.utils.set_random_seed` seeds.
        trainable: Whether the layers are trained; False freezes them all.
        dtype: The dtype policy of a subclass's `call`, as in `Layer`; the layers have their own.
        remat: Whether each layer is computed again for the gradients; see `fjax.remat`.

    The arrays are in `train_state`, one value that can be read and assigned; `network` is the pure
    pair. The functions that the model calls are public in `fjax.training`.

    Source: Keras's page "The Model class".

    >>> import numpy as np
    >>> from fjax.layers import Dense
    >>> model = Model(Dense(1), input_shape=(2,), seed=0)
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> history = model.fit(np.ones((8, 2)), np.ones(8), epochs=2, verbose=0)
    >>> len(history.history["loss"])
    2
    >>> from fjax.layers import Input
    >>> wide, deep = Input((2,), name="wide"), Input((3,), name="deep")
    >>> model = Model(inputs=[wide, deep], outputs=Dense(1)(wide) + Dense(1)(deep))
    >>> model.input_names, model.output_shape
    (['wide', 'deep'], (None, 1))
    """

    stop_training: bool
    stop_evaluating: bool
    stop_predicting: bool
    run_eagerly: bool
    history: History | None
    replicas: Replicas | None

    @explain_keywords
    def __init__(
        self,
        *network: Any,
        inputs: Any = None,
        outputs: Any = None,
        input_shape: Any = None,
        name: str | None = None,
        seed: int | None = None,
        trainable: bool = True,
        dtype: Any = None,
        remat: bool = False,
    ) -> None:
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.run_eagerly = False
        self.history, self.replicas = None, None
        constructed = network_of(self, network, inputs, outputs, name, dtype, remat)
        if input_shape is not None and is_authored_model(self):
            raise ValueError(
                f"`{type(self).__name__}`: an authored model does not accept `input_shape`, "
                "because its layers do not exist yet: call `model.build((None, …))` after its "
                "construction, or fit it."
            )
        super().__init__(
            constructed.network,
            input_shape=input_shape,
            name=name,
            seed=seed,
            symbols=constructed.symbols,
        )
        if not trainable:
            self.trainable = False

    def build_for(self, batch: Batch) -> None:
        """Build the model for a first batch, unless it is built already."""
        parts = self.model_parts
        if not parts.architecture.is_built:
            self._build_for_inputs(batch.inputs)
            if parts.config is not None:
                parts.config.by_output(parts.architecture.output_tree(), self.output_names)
        parts.weights.check_statistics()

    def input_expectation(self) -> InputExpectation:
        """Return what the model expects of the inputs of a batch."""
        return self.model_parts.architecture.input_expectation(takes_one_array=False)

    @explain_keywords
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int | None = None,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        train_step: Any = None,
        test_step: Any = None,
        placement: Any = None,
    ) -> None:
        """Set how the model is trained. Every name is resolved here.

        Args:
            optimizer: A name, one of `fjax.optimizers`, or any pair `init`, `update`, such as
                optax's.
            loss: A name, one of `fjax.losses`, or a function of targets and outputs; for several
                outputs, one loss for all, a list by position, or a dict by name. An output without
                a loss has None, or is omitted from the dict.
            loss_weights: The factor of each loss in the sum: a list by position, a dict by name,
                or one number for all.
            metrics: A list of metrics: names, objects or functions; for several outputs, a list of
                such lists, or a dict by name.
            weighted_metrics: Metrics that use sample weights, in the same forms.
            run_eagerly: Run each step uncompiled, for a debugger.
            steps_per_execution: Ignored; the loop always runs many steps in one program.
            jit_compile: As in Keras: "auto" and True compile; False means `run_eagerly=True`.
            auto_scale_loss: Whether "mixed_float16" puts the optimizer in a `LossScaleOptimizer`.
            train_step: Your own pure `step(train_state, batch) -> (train_state, logs)`, which
                replaces the engine's; see `fjax.training.custom_train_step`. A subclass may define
                it as a method instead: `train_step(self, train_state, batch)`.
            test_step: Your own evaluation step `step(train_state, batch) -> logs`; by default, the
                loss and metrics are computed.
            placement: The devices, as of `fjax.distribution.data_parallel()`; by default those of
                `fjax.distribution.set_distribution`.
        """
        check_execution(steps_per_execution, jit_compile)
        devices = current_placement() if placement is None else as_placement("compile", placement)
        if self.model_parts.is_training:
            raise RuntimeError(
                f"The model {self.name!r} is being trained and cannot be compiled now: end the "
                "`fit` first, for example by `model.stop_training = True`."
            )
        if is_authored_model(self):
            # The lists in an author's attributes may have changed.
            self._rebuild()
        is_stateful = isinstance(optimizer, StatefulOptimizer)
        used = optimizer.with_shown_rate() if is_stateful else optimizer
        config = make_config(
            used, loss, loss_weights, metrics, weighted_metrics, train_step, test_step
        )
        config = with_loss_scale(config, self.dtype_policy, self.layer_tree, auto_scale_loss)
        self.model_parts.set_config(config, devices)
        # As in Keras, the object shows and sets the state in this model.
        if config.optimizer is used and is_stateful:
            optimizer.use_variables(self.optimizer)
        self.replicas = None
        self.run_eagerly = bool(run_eagerly) or jit_compile is False

    @explain_keywords
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        resume: Any = None,
        replicas: int | None = None,
    ) -> History:
        """Train the model, and return the `History` of its logs.

        Args:
            x: The inputs: an array (numpy, JAX, pandas); for several inputs, a tuple or list by
                position, or a dict by name; or an iterable of batches `(x, y)` or
                `(x, y, sample_weight)`.
            y: The targets; for several outputs, by position or by name. An output without loss and
                metrics needs no targets.
            batch_size: Samples per step, by default 32; if only `steps_per_epoch` is set, as many
                as make an epoch one pass.
            epochs: The number of the last epoch, from 1.
            verbose: 0 for no output, 1 for a progress bar, 2 for a line per epoch; "auto" is 1 in a
                terminal, else 2.
            callbacks: Callbacks.
            validation_split: The share of the data, from its end, to validate on.
            validation_data: `(x, y)` or `(x, y, sample_weight)` to validate on; `validation_split`
                is then ignored.
            shuffle: Whether each epoch takes the samples in a new order.
            class_weight: A dict of class to weight; for several outputs, a list or dict of these.
            sample_weight: One weight per sample; for several outputs, also a list or dict of such
                arrays, None for an output without weights.
            initial_epoch: The number of epochs that earlier calls have trained.
            steps_per_epoch: Steps in an epoch; the next epoch continues where it ended.
            validation_steps: Steps of a validation.
            validation_batch_size: Samples per step of the validation, by default `batch_size`.
            validation_freq: Validate after each this many epochs, or after the listed epochs.
            resume: A folder for a checkpoint after each epoch. If it already has a checkpoint, as
                after a kill, training resumes from it, and ends with the same bits as an
                uninterrupted run; see `fjax.callbacks.BackupAndRestore`.
            replicas: The number of models to train side by side, in one program: this model, and
                copies with the seeds that follow its seed. The `History` has the means over them,
                and their standard deviation in `spread`; `predict(x, return_std=True)` returns the
                prediction of the ensemble. The model itself is trained as it would be alone.
                `EarlyStopping`, `ReduceLROnPlateau` and `LearningRateScheduler` act on each replica
                separately; other callbacks get the means at the end of each epoch.

        Raises:
            RuntimeError: The model was not compiled.
            ValueError: The data or an argument is invalid; raised before any training.
        """
        self.model_parts.require_config("fit")
        schedule = arguments.check_schedule(
            epochs, initial_epoch, steps_per_epoch, validation_steps, validation_freq
        )
        verbose = arguments.check_verbose("fit", verbose)
        if not isinstance(shuffle, bool):
            raise ValueError(f"`fit`: `shuffle` must be True or False, received {shuffle!r}.")
        data = read("fit", x, y, sample_weight, batch_size, schedule.steps_per_epoch, repeats=True)
        if replicas is not None:
            whole = {
                "steps_per_epoch": steps_per_epoch, "validation_steps": validation_steps,
                "validation_freq": None if validation_freq == 1 else validation_freq,
                "resume": resume,
            }  # fmt: skip
            return fit_replicas(
                self, replicas, data, class_weight, validation_split,
                validation_data, batch_size, schedule, shuffle, callbacks, verbose, whole,
            )  # fmt: skip
        self.replicas = None
        validation = Validation(
            validation_split, validation_data, validation_batch_size or batch_size
        )
        return fit(
            self, self.model_parts, data, schedule, validation, shuffle, class_weight, callbacks,
            verbose, resume,
        )  # fmt: skip

    @explain_keywords
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss and metrics on data: the loss alone, a list, or a dict by name.

        Args:
            x: The inputs, as in `fit`.
            y: The targets.
            batch_size: Samples per step, by default 32.
            verbose: 0 for no output.
            sample_weight: One weight per sample.
            steps: The number of steps; by default, all data is used.
            callbacks: Callbacks.
            return_dict: Whether to return a dict: `{"loss": …, …}`.
        """
        self.model_parts.require_config("evaluate")
        steps = arguments.check_steps("evaluate", "steps", steps)
        verbose = arguments.check_verbose("evaluate", verbose)
        data = read("evaluate", x, y, sample_weight, batch_size, steps)
        plan, logs = evaluate(self, self.model_parts, data, callbacks, verbose)
        return logs if return_dict else plan.in_order(logs)

    @explain_keywords
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        return_std: bool = False,
    ) -> Any:
        """Return the outputs for inputs, as numpy arrays.

        Args:
            x: The inputs, as in `fit`.
            batch_size: Samples per step, by default 32.
            verbose: 0 for no output.
            steps: The number of steps; by default, all data is used.
            callbacks: Callbacks.
            return_std: Whether to return `(mean, std)` of the outputs of the replicas that the last
                `fit` has trained: the prediction of the ensemble and its spread.

        Raises:
            ValueError: There are no replicas, or the inputs do not fit the model.
        """
        if return_std:
            if self.replicas is None:
                raise ValueError(
                    f"`predict`: `return_std=True` needs several trained models, and {self.name!r} "
                    "is one: train it by `fit(…, replicas=8)`."
                )
            return self.replicas.mean_and_std(inputs_of(self, self.model_parts, x))
        steps = arguments.check_steps("predict", "steps", steps)
        verbose = arguments.check_verbose("predict", verbose)
        data = read("predict", x, batch_size=batch_size, steps=steps)
        return predict(self, self.model_parts, data, callbacks, verbose)

    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Any:
        """Return the most probable class of each sample: Keras 2's method."""
        warnings.warn(
            "`predict_classes` is an older spelling of `predict(x).argmax(-1)`, and of "
            "`predict(x) > 0.5` for one output.",
            DeprecationWarning,
            stacklevel=2,
        )
        return classes_of(self, self.predict(x, batch_size=batch_size, verbose=verbose))

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return the outputs for arrays as JAX arrays, or call the model on symbolic tensors.

        In training mode each call on arrays draws new random numbers, as Monte Carlo dropout needs;
        the new state, such as moving averages, is dropped.

        A model that is called on symbolic tensors becomes a layer of the graph, and shares its
        weights with it. There `training` sets the mode of this call; None follows the graph.

        Args:
            inputs: The inputs; for several, separate arguments, a list or tuple, or a dict by name.
            training: Whether the call is in training mode; by default only augmenting layers are.
            options: Further arguments of an authored `call`, for symbolic tensors.

        >>> import numpy as np
        >>> from fjax.layers import Dense, Input
        >>> model = Model(Dense(1), input_shape=(2,))
        >>> model(np.ones((3, 2))).shape, model(Input((2,))).shape
        ((3, 1), (None, 1))
        """
        require_outputs(self)
        leaves = jax.tree.leaves((inputs, options))
        if any(isinstance(leaf, SymbolicTensor) for leaf in leaves):
            return self._call_on_symbols(inputs, training, options)
        check_keywords(f"{type(self).__name__}.__call__", options, ["training"])
        if current_scope() is not None:
            return call_in_scope(self, self.model_parts, inputs, bool(training))
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(inputs)):
            return call_without_weights(self, self.model_parts, inputs, training)
        x = inputs[0] if len(inputs) == 1 else inputs
        return call(self, self.model_parts, x, training)

    @explain_keywords
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Run one training step, and return its loss and metrics as `evaluate` does."""
        self.model_parts.require_config("train_on_batch")
        batch = to_batch(x, y, sample_weight, text=True)
        plan, logs = train_on_batch(self, self.model_parts, batch, class_weight)
        return logs if return_dict else plan.in_order(logs)

    @explain_keywords
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return the loss and metrics on one batch, as `evaluate` does."""
        self.model_parts.require_config("test_on_batch")
        batch = to_batch(x, y, sample_weight, text=True)
        plan, logs = measure_on_batch(self, self.model_parts, batch)
        return logs if return_dict else plan.in_order(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch, as numpy arrays."""
        return predict_on_batch(self, self.model_parts, x)

    def get_config(self) -> dict[str, Any]:
        """Return the architecture as plain data, for `from_config`.

        A subclass whose `__init__` takes arguments overrides this to return them by name.
        """
        return {} if is_authored_model(self) else super().get_config()

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Return a model with the architecture in `config`, with newly drawn weights.

        See `NetworkWithWeights.from_config`; an authored class is called with the config, which is
        empty by default.
        """
        if config and cls.describes_layers():
            return super().from_config(config, custom_objects)
        return cls(**config)

    @classmethod
    def describes_layers(cls) -> bool:
        """Return whether `get_config` returns the layers, not the arguments of a subclass."""
        return cls.get_config.__module__.startswith("fjax.models.") and not is_authored_model(cls)


def _model_around(network: Graph, seed: int) -> Model:
    """Return a model of a network that is a layer of another model, which shares its weights."""
    return Model(SharedNetwork(network), name=network.given_name, seed=seed)


makes_models_of(Graph, _model_around)
