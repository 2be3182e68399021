"""A run in TensorBoard."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fjax import trees
from fjax.callbacks.callback import Callback, Logs
from fjax.callbacks.events import EventWriter, as_pictures, nodes_of
from fjax.core.reserved import only_weights
from fjax.errors import explain_keywords, integer_at_least, is_integer, one_of


class TensorBoard(Callback):
    """Write a run for TensorBoard: `tensorboard --logdir logs` shows it, and others beside it.

    Needs the `tensorboard` package (`pip install fjax[tensorboard]`), and no TensorFlow. Each
    `log_dir` is a run of two parts, `train` and `validation`; give each run a folder of its own
    below one that `tensorboard` is pointed to.

    By default a whole epoch stays one program. `update_freq` other than "epoch" and `profile_batch`
    have the loop stop at each step, as all callbacks with batch hooks do.

    Args:
        log_dir: The run's folder.
        histogram_freq: After every so many epochs the weights' histograms are written, of values
            that are finite; 0 for never.
        write_graph: Whether to write the model's graph: a node for each layer.
        write_images: Whether the weights are written as images, too, at each histogram.
        write_steps_per_second: Whether to write how many steps a second are made.
        update_freq: "epoch" writes losses and metrics after each epoch; "batch" or an integer
            besides after each step or every so many, as `batch_loss` and so on: these are the means
            over the epoch so far. The step counts all steps that the model has made.
        profile_batch: The step of this `fit`, from 1, that JAX's profiler looks at, or a pair of
            the first and last; 0 for none. It is written into `train/plugins/profile`, which
            TensorBoard shows with the package `xprof`.
        embeddings_freq: Must be 0: embeddings are not written.
        embeddings_metadata: Must be None.

    Written after each epoch, the step being its number from 0: `epoch_loss`, each metric and
    `epoch_learning_rate` in `train`, and the logs of the validation under the same names in
    `validation`. After each evaluation, at the number of updates: `evaluation_loss_vs_iterations`
    and so on in `validation`. The files are complete up to the last epoch whatever ends the run.

    Raises:
        ImportError: The `tensorboard` package is missing.
        ValueError: An argument is none of those.

    Source: Keras's page "TensorBoard".

    >>> import tempfile
    >>> import fjax
    >>> folder = Path(tempfile.mkdtemp())
    >>> model = fjax.Sequential([fjax.layers.Dense(1, input_shape=(2,))])
    >>> model.compile("sgd", "mse")
    >>> tensorboard = TensorBoard(folder / "first")
    >>> _ = model.fit(np.ones((8, 2)), np.ones(8), callbacks=[tensorboard], verbose=0)
    >>> [path.name for path in (folder / "first").iterdir()]
    ['train']
    """

    @explain_keywords
    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        _require_tensorboard()
        owner = "TensorBoard"
        self.log_dir = str(log_dir)
        self.histogram_freq = integer_at_least(owner, "histogram_freq", histogram_freq, 0)
        flags = (False, True)
        self.write_graph = one_of(owner, "write_graph", write_graph, flags)
        self.write_images = one_of(owner, "write_images", write_images, flags)
        self.write_steps_per_second = one_of(
            owner, "write_steps_per_second", write_steps_per_second, flags
        )
        if write_images and not self.histogram_freq:
            raise ValueError(
                f"`{owner}`: `write_images` writes images of the weights at each histogram: give "
                "`histogram_freq=1`, too."
            )
        self.update_freq = _checked_update_freq(owner, update_freq)
        self._profiled = _checked_profile_batch(owner, profile_batch)
        if embeddings_freq or embeddings_metadata is not None:
            raise ValueError(
                f"`{owner}` writes no embeddings: leave out `embeddings_freq` and "
                "`embeddings_metadata`, and take an embedding's weights by "
                "`model.get_layer(name).get_weights()`."
            )
        if self.update_freq != "epoch" or self._profiled is not None:
            # Hooks of the object: where there are none, whole epochs run as one program.
            vars(self).update(
                on_train_batch_begin=self._begin_batch, on_train_batch_end=self._end_batch
            )
        self._writers: dict[str, EventWriter] = {}
        self._training = False
        self._tracing = False
        self._batch = 0
        self._first_step = 0
        self._begun = self._batch_begun = 0.0
        self._steps_before = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Write the model's graph."""
        self._stop_profiler()
        self._close()
        self._training = True
        self._batch, self._first_step = 0, self._steps_made()
        if self.write_graph:
            self._writer("train").graph(nodes_of(self.model.layer_calls()))

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files."""
        self._stop_profiler()
        self._training = False
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the time."""
        if self.write_steps_per_second:
            self._begun, self._steps_before = time.perf_counter(), self._steps_made()

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """Note the time: what was made before the kill is not counted."""
        self.on_epoch_begin(epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's logs, and the weights if they are due."""
        train = {k: v for k, v in (logs or {}).items() if not k.startswith("val_")}
        validation = {k[4:]: v for k, v in (logs or {}).items() if k.startswith("val_")}
        rate = getattr(self.model.train_state.opt_state, "learning_rate", None)
        if rate is not None:
            train["learning_rate"] = float(rate)
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._begun
            train["steps_per_second"] = (self._steps_made() - self._steps_before) / seconds
        self._write("train", "epoch_{}", train, epoch)
        self._write("validation", "epoch_{}", validation, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Write the result of an evaluation."""
        step = self.model.optimizer.iterations
        self._write("validation", "evaluation_{}_vs_iterations", logs or {}, step)
        if not self._training:
            self._close()

    def _begin_batch(self, batch: int, logs: Logs | None = None) -> None:
        # A subclass may have a hook of its own.
        type(self).on_train_batch_begin(self, batch, logs)
        self._batch += 1
        self._batch_begun = time.perf_counter()
        if self._profiled is not None and self._batch == self._profiled[0]:
            jax.profiler.start_trace(str(Path(self.log_dir) / "train"))
            self._tracing = True

    def _end_batch(self, batch: int, logs: Logs | None = None) -> None:
        type(self).on_train_batch_end(self, batch, logs)
        step = self._first_step + self._batch
        if self.update_freq != "epoch" and step % self.update_freq == 0:
            written: dict[str, Any] = dict(logs or {})
            if self.write_steps_per_second:
                jax.block_until_ready(self.model.train_state.step)
                written["steps_per_second"] = 1 / (time.perf_counter() - self._batch_begun)
            self._write("train", "batch_{}", written, step)
        if self._tracing and self._profiled is not None and self._batch >= self._profiled[1]:
            self._stop_profiler()

    def _stop_profiler(self) -> None:
        if self._tracing:
            jax.block_until_ready(self.model.train_state)
            jax.profiler.stop_trace()
            self._tracing = False

    def _steps_made(self) -> int:
        return int(self.model.train_state.step)

    def _write(self, part: str, tag: str, logs: Mapping[str, Any], step: int) -> None:
        for name, value in logs.items():
            if np.ndim(value) == 0:
                self._writer(part).scalar(tag.format(name), value, step)
                continue
            # A metric with one value for each class.
            for number, each in enumerate(np.ravel(value)):
                self._writer(part).scalar(f"{tag.format(name)}/{number}", each, step)

    def _write_weights(self, epoch: int) -> None:
        held = self.model.train_state
        for home in (held.params, only_weights(held.state)):
            for path, weight in jax.tree_util.tree_leaves_with_path(home):
                if not jax.numpy.issubdtype(weight.dtype, jax.numpy.floating):
                    continue
                name, values = trees.path_name(path), np.asarray(weight, np.float32)
                finite = values[np.isfinite(values)]
                if finite.size:
                    self._writer("train").histogram(f"{name}/histogram", finite, epoch)
                pictures = as_pictures(values) if self.write_images else None
                if pictures is not None:
                    self._writer("train").images(f"{name}/image", pictures, epoch)

    def _writer(self, part: str) -> EventWriter:
        if part not in self._writers:
            self._writers[part] = EventWriter(Path(self.log_dir) / part)
        return self._writers[part]

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


def _require_tensorboard() -> None:
    try:
        import tensorboard  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "`TensorBoard` needs the package `tensorboard`: `pip install fjax[tensorboard]`, or "
            "`pip install tensorboard`."
        ) from error


def _checked_update_freq(owner: str, update_freq: Any) -> Any:
    if update_freq == "batch":
        return 1
    if update_freq == "epoch":
        return "epoch"
    if is_integer(update_freq) and update_freq >= 1:
        return int(update_freq)
    raise ValueError(
        f'`{owner}`: `update_freq` must be "epoch", "batch" or an integer of at least 1, received '
        f"{update_freq!r}."
    )


def _checked_profile_batch(owner: str, profile_batch: Any) -> tuple[int, int] | None:
    """Return the first and the last step to profile, None for none."""
    pair = profile_batch if isinstance(profile_batch, tuple | list) else (profile_batch,) * 2
    whole = len(pair) == 2 and all(is_integer(step) for step in pair)
    if whole and tuple(pair) == (0, 0):
        return None
    if not whole or not 1 <= pair[0] <= pair[1]:
        raise ValueError(
            f"`{owner}`: `profile_batch` must be 0, the number of a step from 1, or a pair of the "
            f"first and last, received {profile_batch!r}."
        )
    return int(pair[0]), int(pair[1])
