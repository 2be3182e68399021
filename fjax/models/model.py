"""The facade: Keras's words over a network, its compiled programs and one train state."""

import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import numpy as np

from fjax.callbacks import CallbackList, History
from fjax.callbacks.lazy_logs import to_numbers
from fjax.core import SymbolicTensor
from fjax.core.author import Author, set_facade_attributes
from fjax.core.masking import unmasked
from fjax.errors import check_keywords, explain_keywords
from fjax.models import arguments
from fjax.models.arguments import Source
from fjax.models.compilation import Compilation, make_compilation
from fjax.models.construction import network_of
from fjax.models.replicas import Replicas, fit_replicas
from fjax.models.subclassed import (
    build_within_a_pass,
    changes_layers,
    check_attribute,
    is_authored_model,
)
from fjax.models.trained_network import TrainedNetwork
from fjax.models.views import OptimizerView
from fjax.training import Batch, TrainState, programs_for
from fjax.training.arrays import rows, to_batch
from fjax.training.loop import ChunkScheduler, predict, run_epoch
from fjax.training.shuffling import shuffle_seed
from fjax.training.sources import ArraySource
from fjax.typing import Key, PyTree


class Model(TrainedNetwork, Author):
    """A network that can be compiled, trained, evaluated and used, by Keras's names.

    It is made in one of three ways: `Model(inputs, outputs)` of symbolic tensors, whose layers keep
    the weights that they have in other models; `Model(network)` of a pure pair, with weights of its
    own; or by a subclass that makes layers in `__init__` and has a `call(inputs, training=None)`.

    Args:
        network: A layer, or what `serial` takes for one; or `inputs` and `outputs` by position.
        inputs: The symbolic tensors to begin with: one, or a list, tuple or dict; see `fjax.Input`.
        outputs: The symbolic tensors to end with, likewise.
        input_shape: The shape of one sample; by default it is taken from the first data.
        name: The model's name.
        seed: Gives the weights and all that training draws; by default drawn from Python's
            `random`, which `fjax.utils.set_random_seed` seeds.
        trainable: False freezes all layers.

    The arrays are in `train_state`, one value that can be taken out and assigned; `network` is the
    pure pair. Whatever the model does is public one floor down, in `fjax.training`.

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
    ) -> None:
        before = set(vars(self))
        self.stop_training = False
        self.run_eagerly = False
        self._fitting = False
        self._calls = 0
        self.replicas: Replicas | None = None
        self.history: History | None = None
        self._compilation: Compilation | None = None
        made = network_of(self, network, inputs, outputs, name)
        if input_shape is not None and is_authored_model(self):
            raise ValueError(
                f"`{type(self).__name__}`: an authored model takes no `input_shape`, its layers "
                "are not there yet: call `model.build((None, …))` once it is made, or fit it."
            )
        super().__init__(
            made.network, input_shape=input_shape, name=name, seed=seed, symbols=made.symbols
        )
        if not trainable:
            self.trainable = False
        # All other attributes are the author's, and may hold layers and weights.
        set_facade_attributes(self, vars(self).keys() - before)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__ and cls.call is not Author.call:
            setattr(cls, "build", build_within_a_pass(cls.__dict__["build"], Model))  # noqa: B010

    def __setattr__(self, name: str, value: Any) -> None:
        changes = False
        if is_authored_model(self):
            check_attribute(self, Model, name, value)
            changes = changes_layers(self, name, value)
        super().__setattr__(name, value)
        if changes:
            self._programs = {}
            self._restructure(self._specs, self._shapes)

    def __getattr__(self, name: str) -> Any:
        # Asked for what is not there alone; `copy` asks for more before there is anything.
        if not name.startswith("__") and "stop_training" not in vars(self):
            raise RuntimeError(
                f"`{type(self).__name__}.__init__` did not call `super().__init__()`: make it the "
                "first line there."
            )
        return object.__getattribute__(self, name)

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
        train_step: Any = None,
        test_step: Any = None,
    ) -> None:
        """Say how the model is trained. Every name is resolved here.

        Args:
            optimizer: A name, one of `fjax.optimizers`, or any pair `init`, `update`, as of optax.
            loss: A name, one of `fjax.losses`, or a function of targets and outputs; of several
                outputs one for all, a list by position, or a dict by name. An output without a
                loss has None, or is left out of the dict.
            loss_weights: What each loss counts in the sum: a list by position or a dict by name;
                or one number.
            metrics: A list of what to measure beside the loss, names, objects or functions; of
                several outputs a list of such lists, or a dict by name.
            weighted_metrics: Metrics in which sample weights count, likewise.
            run_eagerly: Run each step uncompiled, to look into it with a debugger.
            steps_per_execution: Accepted for Keras's sake; the loop always runs many steps at once.
            jit_compile: Accepted for Keras's sake: "auto" or True compile; False is `run_eagerly`.
            train_step: Your own pure `step(train_state, batch) -> (train_state, logs)` in the place
                of the engine's, see `fjax.training.custom_train_step`. A subclass may define it as
                a method instead: `train_step(self, train_state, batch)`.
            test_step: Your own `step(train_state, batch) -> logs` of evaluation, likewise; without
                one the loss and metrics are measured.
        """
        if jit_compile not in (True, False, "auto"):
            raise ValueError(
                f'`compile`: `jit_compile` must be True, False or "auto", received {jit_compile!r}.'
            )
        arguments.check_steps("compile", "steps_per_execution", steps_per_execution)
        if self._fitting:
            raise RuntimeError(
                f"The model {self.name!r} is being trained, and cannot be compiled meanwhile: end "
                "the `fit` first, as by `model.stop_training = True`."
            )
        if is_authored_model(self):
            # An author's lists may have other layers than before.
            self._restructure(self._specs, self._shapes)
        compilation = make_compilation(
            optimizer, loss, loss_weights, metrics, weighted_metrics, train_step, test_step
        )
        if self.built:
            compilation.by_output(self.output_names)
        self._compilation = compilation
        self._programs = {}
        self.replicas = None
        self._optimizer, self._optimizer_is_new = self._compilation.optimizer, True
        self._settle()
        self.run_eagerly = bool(run_eagerly) or jit_compile is False

    @property
    def optimizer(self) -> OptimizerView:
        """The optimizer, with its learning rate, which can be set."""
        return OptimizerView(self, self._compiled("optimizer").optimizer)

    @property
    def loss(self) -> Any:
        """The loss that the model was compiled with; several in a tuple or dict."""
        return self._compiled("loss").loss

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
            x: The inputs: an array (numpy, JAX, pandas); several in a tuple or list by position, or
                in a dict by name; or an iterable of batches `(x, y)` or `(x, y, sample_weight)`.
            y: The targets; of several outputs by position or by name. An output without loss and
                metrics needs none.
            batch_size: Samples a step, by default 32; with `steps_per_epoch` alone as many as make
                an epoch one pass.
            epochs: The number of the last epoch, from 1.
            verbose: 0 silent, 1 a bar, 2 a line an epoch; "auto" is 1 in a terminal, else 2.
            callbacks: Who listens.
            validation_split: The share of the data, from its end, to validate on.
            validation_data: `(x, y)` or `(x, y, sample_weight)` to validate on; wins over a split.
            shuffle: Whether each epoch goes through the samples in another order.
            class_weight: A dict of class to weight; of several outputs a list or dict of these.
            sample_weight: One weight a sample; of several outputs also a list or dict of such
                arrays, None for an output without.
            initial_epoch: The number of epochs that were made before.
            steps_per_epoch: Steps in an epoch; the next one goes on where it ended.
            validation_steps: Steps of a validation.
            validation_batch_size: Samples a step of the validation, by default `batch_size`.
            validation_freq: Validate after every so many epochs, or after those listed.
            resume: A folder to keep the run in after each epoch. Where it keeps one already, as
                after a kill, training goes on from there, and ends with the same bits as if it had
                never been interrupted; see `fjax.callbacks.BackupAndRestore`.
            replicas: Train so many models of other seeds side by side, as one program: this one and
                those of the seeds that follow its own. The `History` has the means over them, and
                their standard deviation in `spread`; `predict(x, return_std=True)` is the ensemble
                of them. The model itself is trained as it would be alone. `EarlyStopping`,
                `ReduceLROnPlateau` and `LearningRateScheduler` steer each replica for itself; other
                callbacks hear the means at the end of each epoch.

        Raises:
            RuntimeError: The model was not compiled.
            ValueError: The data or a number cannot be, said before any training.
        """
        self._compiled("fit")
        numbers = arguments.check_fit(
            epochs, initial_epoch, steps_per_epoch, validation_steps, validation_freq
        )
        verbose = arguments.check_verbose("fit", verbose)
        if not isinstance(shuffle, bool):
            raise ValueError(f"`fit`: `shuffle` must be True or False, received {shuffle!r}.")
        if replicas is not None:
            whole = {
                "steps_per_epoch": steps_per_epoch, "validation_steps": validation_steps,
                "validation_freq": None if validation_freq == 1 else validation_freq,
                "resume": resume,
            }  # fmt: skip
            return fit_replicas(
                self, replicas, (x, y, sample_weight), class_weight, validation_split,
                validation_data, batch_size, numbers, shuffle, callbacks, verbose, whole,
            )  # fmt: skip
        self.replicas = None
        check = self._checked("train_step")
        if validation_split or validation_data is not None:
            self._checked("test_step")
        validation: Source | None = None
        size = validation_batch_size or batch_size
        if arguments.is_batches(x):
            if validation_split or class_weight is not None:
                raise ValueError(
                    "`fit`: `validation_split` and `class_weight` need arrays, `x` gives batches: "
                    "give `validation_data`, and weights within the batches."
                )
            source: Source = arguments.batches_source(
                "fit", x, y, sample_weight, batch_size, numbers.steps_per_epoch, check,
                endless=True,
            )  # fmt: skip
            size = validation_batch_size
        else:
            data, held_out = arguments.split(
                check(to_batch(x, y, sample_weight, text=True)),
                0.0 if validation_data is not None else validation_split,
            )
            data = self._with_class_weight(data, class_weight)
            source = arguments.array_source(
                "fit", data, batch_size, numbers.steps_per_epoch,
                self._shuffle_seed() if shuffle else None, endless=True,
            )  # fmt: skip
            if held_out is not None:
                if check != self._trainable:
                    held_out = self._checked("test_step")(held_out)
                validation = arguments.array_source("fit", held_out, size, numbers.validation_steps)
        if validation_data is not None:
            validation = self._validation(validation_data, size, numbers.validation_steps)
        self._fitting = True
        try:
            with self._mode():
                return self._fit(source, validation, numbers, callbacks, verbose, resume)
        finally:
            self._fitting = False
            source.close()
            if validation is not None:
                validation.close()

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
            batch_size: Samples a step, by default 32.
            verbose: 0 is silent.
            sample_weight: One weight a sample.
            steps: Steps to make, by default all.
            callbacks: Who listens.
            return_dict: Return `{"loss": …, …}`.
        """
        source = arguments.make_source(
            "evaluate", x, y, sample_weight, batch_size,
            arguments.check_steps("evaluate", "steps", steps), self._checked("test_step"),
        )  # fmt: skip
        verbose = arguments.check_verbose("evaluate", verbose)
        listeners = CallbackList(callbacks, self, verbose, epochs=1, steps=source.steps)
        try:
            with self._mode():
                measuring = self._prepare("test_step", source)
                logs = self._evaluate(measuring, source, listeners)
        finally:
            source.close()
        return logs if return_dict else _listed(logs, measuring.logs)

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
            batch_size: Samples a step, by default 32.
            verbose: 0 is silent.
            steps: Steps to make, by default all.
            callbacks: Who listens.
            return_std: Return `(mean, std)` of the outputs of the replicas that the last `fit` has
                trained: the prediction of the ensemble, and how far its members differ.

        Raises:
            ValueError: There are no replicas, or the inputs do not fit the model.
        """
        if return_std:
            if self.replicas is None:
                raise ValueError(
                    f"`predict`: `return_std=True` needs several trained models, and {self.name!r} "
                    "is one: train it by `fit(…, replicas=8)`."
                )
            return self.replicas.mean_and_std(self._usable(to_batch(x, text=True)).inputs)
        source = arguments.make_source(
            "predict", x, None, None, batch_size,
            arguments.check_steps("predict", "steps", steps), self._usable,
        )  # fmt: skip
        verbose = arguments.check_verbose("predict", verbose)
        listeners = CallbackList(callbacks, self, verbose, epochs=1, steps=source.steps)
        # The first batch of an iterable may be what builds the model.
        assert source.example is not None
        compiled = programs_for(self.network, None, None, (), self._programs)
        listeners.call("on_predict_begin", {})
        try:
            steps_heard = listeners.steps("predict")
            with self._mode():
                held = self.train_state
                held = held._replace(key=self._key_of_call(held))
                parts = predict(compiled, held, self._empty_outputs, source, steps_heard)
        finally:
            source.close()
        listeners.call("on_predict_end", {})
        return jax.tree.map(lambda *arrays: np.concatenate(arrays), *parts)

    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Any:
        """Return the most probable class of each sample: Keras 2's method."""
        warnings.warn(
            "`predict_classes` is an older spelling of `predict(x).argmax(-1)`, and of "
            "`predict(x) > 0.5` for one output.",
            DeprecationWarning,
            stacklevel=2,
        )
        outputs = self.predict(x, batch_size=batch_size, verbose=verbose)
        if not isinstance(outputs, np.ndarray):
            raise ValueError(
                f"`predict_classes` takes a model of one output, {self.name!r} has "
                f"{', '.join(self.output_names)}: use `predict`."
            )
        if outputs.shape[-1] > 1:
            return outputs.argmax(axis=-1)
        return (outputs > 0.5).astype("int32")

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return the outputs for arrays as JAX arrays, or call the model on symbolic tensors.

        In training mode each call on arrays draws anew, as Monte Carlo dropout wants it; the state
        that it would leave (moving averages) is dropped.

        A model that is called on symbolic tensors becomes a layer of the graph, which shares its
        weights. There `training` fixes the mode of this call; None follows the whole.

        Args:
            inputs: The inputs; several one by one, in a list or tuple, or in a dict by name.
            training: The mode of the call, by default that of use.
            options: Further arguments of an authored `call`, for symbolic tensors.

        >>> from fjax.layers import Dense, Input
        >>> model = Model(Dense(1), input_shape=(2,))
        >>> model(np.ones((3, 2))).shape, model(Input((2,))).shape
        ((3, 1), (None, 1))
        """
        leaves = jax.tree.leaves((inputs, options))
        if any(isinstance(leaf, SymbolicTensor) for leaf in leaves):
            return self._called_in_graph(inputs, training, options)
        check_keywords(f"{type(self).__name__}.__call__", options, ["training"])
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(inputs)):
            raise TypeError(
                f"The model {self.name!r} was called inside a traced function (`jax.jit`, "
                "`jax.grad`, …): use `model.network`'s pure `apply(params, state, inputs)` there."
            )
        batch = self._usable(to_batch(inputs[0] if len(inputs) == 1 else inputs, text=True))
        held, training = self.train_state, bool(training)
        key = self._key_of_call(held)
        outputs, _ = self.network.apply(
            held.params, held.state, *batch.inputs, key=key, training=training
        )
        return unmasked(outputs)

    def _key_of_call(self, held: TrainState) -> Key:
        """Return a key that no call before was given."""
        self._calls += 1
        return jax.random.fold_in(jax.random.fold_in(held.key, held.step), self._calls)

    @explain_keywords
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Make one training step, and return the loss and metrics on it as `evaluate` does."""
        self._compiled("train_on_batch")
        batch = self._checked("train_step")(to_batch(x, y, sample_weight, text=True))
        batch = self._with_class_weight(batch, class_weight)
        source = ArraySource(batch, rows(batch))
        training = self._prepare("train_step", source)
        holder = self._begin_epoch(int(self.train_state.epoch), training.sums)
        steps = CallbackList(None, self).steps("train")
        with self._mode():
            on_device = run_epoch(
                holder, training.programs, source, 0, steps, ChunkScheduler(steps)
            )
        logs = to_numbers(on_device)
        return logs if return_dict else _listed(logs, training.logs)

    @explain_keywords
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return the loss and metrics on one batch, as `evaluate` does."""
        count = rows(to_batch(x, text=True))
        return self.evaluate(
            x, y, count, verbose=0, sample_weight=sample_weight, return_dict=return_dict
        )

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch, as numpy arrays."""
        return self.predict(x, batch_size=rows(to_batch(x, text=True)), verbose=0)

    def _mode(self) -> AbstractContextManager[Any]:
        # Only ever switched off here: a user's own `jax.disable_jit()` stays in force.
        return jax.disable_jit() if self.run_eagerly else nullcontext()

    def _with_class_weight(self, batch: Batch, class_weight: Any) -> Batch:
        outputs, names = self.layer_shapes.outputs, self.output_names
        return arguments.with_class_weight(batch, class_weight, outputs, names)

    def _validation(self, data: Any, batch_size: Any, steps: int | None) -> Source:
        check = self._checked("test_step")
        if arguments.is_batches(data):
            return arguments.make_source("fit", data, None, None, None, steps, check)
        if not isinstance(data, list | tuple) or len(data) not in (2, 3):
            raise ValueError(
                "`fit`: `validation_data` must be `(x, y)`, `(x, y, sample_weight)` or an iterable "
                f"of batches, received {type(data).__name__}."
            )
        x, y, weight = (*data, None)[:3]
        return arguments.make_source("fit", x, y, weight, batch_size, steps, check)

    def _empty_outputs(self, data: Batch) -> PyTree:
        count, specs = rows(data), self._outputs_for(data.inputs)
        return jax.tree.map(lambda spec: np.zeros((count, *spec.shape[1:]), spec.dtype), specs)

    def _shuffle_seed(self) -> int:
        return shuffle_seed(self.train_state.key)


def _listed(logs: dict[str, Any], names: list[str]) -> Any:
    """Return the logs as Keras returns them from one call: one number, or a list in this order."""
    values = [logs[name] for name in names]
    return values[0] if len(values) == 1 else values
