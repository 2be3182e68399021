"""`Session`: one run of the playground, which advances by some epochs at each call."""

import dataclasses
import math
import time
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.callbacks.lazy_logs import to_numbers
from fjax.data.shuffling import shuffle_seed
from fjax.data.source import read
from fjax.models import Model
from fjax.models.plan import expectation, plan_for
from fjax.models.step_methods.forms import TEST, TRAIN
from fjax.playground.code import show_code
from fjax.playground.features import make_features
from fjax.playground.messages import PlaygroundError
from fjax.playground.network import build_model, load_points, objective, with_features
from fjax.playground.points import EXTENT
from fjax.playground.settings import Settings
from fjax.playground.traced_penalty import with_traced_penalty
from fjax.training import run_epoch
from fjax.training.loop import ChunkScheduler, evaluate
from fjax.training.programs import copy_of, no_loss

# Points on each side of the square at which the outputs are computed, and those of a unit: every
# third of them.
SIZE, STRIDE = 96, 3

# So many epochs are all recorded; after them, the last one of each call of `advance`.
ALL_RECORDED = 20


class Record(NamedTuple):
    """The losses after an epoch, as in the history of `fit`.

    Attributes:
        epoch: The number of completed epochs.
        loss: The mean loss of the training batches of the epoch.
        test_loss: The loss of the test data after the epoch.
        accuracy: The share of training points that were classified correctly; None in a regression.
        test_accuracy: The same of the test points, after the epoch.
    """

    epoch: int
    loss: float
    test_loss: float
    accuracy: float | None
    test_accuracy: float | None


class Session:
    """One run of the playground: a model, its data, and what the page shows of them.

    `Sequential.fit` with the same data, seed and batch size gives the same losses.

    Args:
        settings: What the user chose.

    Raises:
        ValueError: The settings do not fit together.

    >>> session = Session(Settings(data="gauss", hidden=(2,)))
    >>> session.advance(steps=40)[-1].epoch
    2
    >>> session.weights().shape, session.surfaces()[0].shape
    ((9,), (1, 96, 96))
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.training_points, self.test_points = load_points(settings)
        targets = np.concatenate([self.training_points[1], self.test_points[1]])
        self.aim = objective(settings, targets)
        self._model = build_model(settings, self.aim)
        # The outputs of all layers, from the same weights.
        outputs = [layer.output for layer in self._model.layers]
        self._probe = Model(self._model.inputs, outputs)
        self._grid = make_features(grid(), settings.features)
        self._open_sources()
        self.epoch = 0
        self._seconds_per_epoch = math.inf

    def _open_sources(self) -> None:
        """Set the sources of batches and the programs, which are those of `fit`."""
        settings, model, parts = self.settings, self._model, self._model.model_parts
        size = settings.batch_size
        training = read("fit", *with_features(settings, self.training_points), None, size)
        test = read("fit", *with_features(settings, self.test_points), None, size)
        model.build_for(training.first())
        seed = shuffle_seed(parts.weights.train_state.key)
        self._source = training.checked(expectation(model, parts, TRAIN), seed, parts.placement)
        self._test_source = test.checked(expectation(model, parts, TEST), placement=parts.placement)
        self._plan = plan_for(model, parts, TRAIN, self._source)
        self._test_plan = plan_for(model, parts, TEST, self._test_source)
        self._programs = self._plan.programs
        self._test_programs = self._test_plan.programs
        if settings.regularization != "none":
            spec = self._source.spec
            outputs = parts.architecture.output_specs(spec.inputs)
            aim = parts.objective("fit", spec.targets, outputs)
            optimizer = parts.require_config("fit").optimizer
            self._programs = self._test_programs = with_traced_penalty(
                self._programs,
                parts.architecture.network,
                aim.loss or no_loss,
                optimizer,
                aim.metrics,
                lambda: self.settings.regularization_rate,
            )

    @property
    def steps_per_epoch(self) -> int:
        """The number of steps of an epoch."""
        steps = self._source.steps
        assert steps is not None
        return steps

    def set_rates(self, learning_rate: Any, regularization_rate: Any) -> None:
        """Change the two rates of the run; nothing is compiled again.

        Raises:
            ValueError: A rate is out of its range.
        """
        self.settings = dataclasses.replace(
            self.settings, learning_rate=learning_rate, regularization_rate=regularization_rate
        )
        weights = self._model.model_parts.weights
        train_state = weights.train_state
        opt_state = train_state.opt_state._replace(learning_rate=np.float32(learning_rate))
        weights.train_state = train_state._replace(opt_state=opt_state)

    def prepare(self) -> float:
        """Compile the programs, without a step; return the loss of the test data."""
        weights = self._model.model_parts.weights
        weights.begin_epoch(self._plan.empty_sums)
        window = next(iter(self._source.windows(self.epoch, 0, self._plan.fill)))
        self._programs.advance(
            copy_of(weights.train_state), (), window.data, window.bounds(0, 0),
            is_filled=window.is_filled,
        )  # fmt: skip
        return self._test()["loss"]

    def advance(self, steps: int, seconds: float = math.inf) -> list[Record]:
        """Train for whole epochs of about so many steps, but at least one epoch.

        Args:
            steps: The number of steps.
            seconds: The time that they may take, as the call before tells; the first call with a
                limit is one epoch.

        Returns:
            What was recorded.
        """
        epochs = max(1, steps // self.steps_per_epoch)
        if seconds < math.inf:
            epochs = max(1, min(epochs, int(seconds / self._seconds_per_epoch)))
        weights, hooks = self._model.model_parts.weights, _Hooks()
        chunks = ChunkScheduler(hooks)
        records = []
        start_time = time.perf_counter()
        for left in reversed(range(epochs)):
            weights.begin_epoch(self._plan.empty_sums, self.epoch)
            logs = run_epoch(
                weights, self._programs, self._source, self.epoch, hooks, chunks, self._plan.fill
            )
            self.epoch += 1
            weights.end_epoch(self.epoch)
            if not left or self.epoch <= ALL_RECORDED:
                records.append(self._record(to_numbers(logs)))
        self._seconds_per_epoch = max(1e-6, time.perf_counter() - start_time) / epochs
        return records

    def _test(self) -> dict[str, float]:
        """Return the logs of the test data."""
        train_state = self._model.model_parts.weights.train_state
        logs = evaluate(
            self._test_programs, train_state, self._test_plan.empty_sums, self._test_source,
            _Hooks(), self._test_plan.fill,
        )  # fmt: skip
        return to_numbers(logs)

    def _record(self, logs: dict[str, float]) -> Record:
        test_logs = self._test()
        return Record(
            self.epoch, logs["loss"], test_logs["loss"],
            logs.get("accuracy"), test_logs.get("accuracy"),
        )  # fmt: skip

    def surfaces(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what the outputs and the hidden units are at each point of the square.

        Returns:
            The outputs, uint8 of shape `(outputs, 96, 96)`, and the units of all hidden layers,
            uint8 of shape `(units, 32, 32)`. The first row is the top of the square. Probabilities
            are 0 to 255; values and units from -1 to 1 are 0 to 255, and others are clipped.
        """
        layers = jax.device_get(self._probe(self._grid))
        # A model with one output returns it alone.
        *hidden, output = layers if self.settings.hidden else [layers]
        planes = [np.zeros((0, SIZE, SIZE), np.float32), *map(_as_planes, hidden)]
        units = np.concatenate([plane[:, ::STRIDE, ::STRIDE] for plane in planes])
        outputs = _as_planes(output)
        if self.aim.activation is not None:
            outputs = 2 * outputs - 1
        return to_bytes(outputs), to_bytes(units)

    def feature_surfaces(self) -> np.ndarray:
        """Return the features at each point of the square, as those of units."""
        return to_bytes(_as_planes(self._grid)[:, ::STRIDE, ::STRIDE])

    def weights(self) -> np.ndarray:
        """Return all weights in one array: of each layer the kernel by rows, then the biases."""
        return np.concatenate([array.ravel() for array in self._model.get_weights()])

    def set_weight(self, index: Any, value: Any) -> None:
        """Set one number of `weights`.

        Raises:
            ValueError: There is no such weight, or the value is not a number up to 100.
        """
        flat = self.weights()
        if type(index) is not int or not 0 <= index < len(flat):
            raise PlaygroundError("weight", received=index)
        if not isinstance(value, int | float) or not abs(value) <= 100:
            raise PlaygroundError("range", name="weight", low=-100, high=100, received=value)
        flat[index] = value
        arrays, start = [], 0
        for array in self._model.get_weights():
            arrays.append(flat[start : start + array.size].reshape(array.shape))
            start += array.size
        self._model.set_weights(arrays)

    def show_code(self, library: str = "fjax") -> str:
        """Return the program of this run; see `fjax.playground.code`."""
        return show_code(self.settings, self.aim, max(self.epoch, 1), library)


class _Hooks:
    """The hooks of an epoch without callbacks."""

    needs_each_step = shows_progress = False

    def longest_chunk(self) -> int | None:
        """Return None: an epoch is one call."""
        return None

    def on_step_begin(self, step: int) -> None:
        """Do nothing."""

    def on_step_end(self, step: int, logs: dict[str, Any]) -> bool:
        """Return False: the epoch is not stopped."""
        del step, logs
        return False


def grid() -> np.ndarray:
    """Return the points of the square at which surfaces are computed, row by row from the top."""
    side = (np.arange(SIZE) + 0.5) / SIZE * 2 * EXTENT - EXTENT
    x1, x2 = np.meshgrid(side, -side)
    return np.stack([x1.ravel(), x2.ravel()], axis=1)


def _as_planes(outputs: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(outputs.T).reshape(-1, SIZE, SIZE)


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Return numbers from -1 to 1 as bytes; others are clipped, and NaN is 128.

    >>> to_bytes(np.array([-2.0, 0.0, 1.0, np.nan])).tolist()
    [0, 128, 255, 128]
    """
    scaled = np.clip(values * 127.5 + 128, 0, 255)
    return np.where(np.isnan(scaled), 128, scaled).astype(np.uint8)
