"""Write a run for TensorBoard."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fjax import trees
from fjax.callbacks.callback import Callback, Logs
from fjax.callbacks.event_writer import EventWriter, graph_nodes, weight_images
from fjax.callbacks.lazy_logs import scalar_logs
from fjax.callbacks.learning_rates import rate_logs
from fjax.callbacks.update_freq import checked_update_freq
from fjax.core.reserved import only_weights
from fjax.errors import explain_keywords, import_extra, integer_at_least, is_integer, one_of


class TensorBoard(Callback):
    """Write a run for TensorBoard, where `tensorboard --logdir logs` shows it beside other runs.

    This needs the `tensorboard` package (`pip install fjax[tensorboard]`) but not TensorFlow. A
    `log_dir` holds one run with two parts, `train` and `validation`: give each run its own folder
    within the one that `--logdir` names.

    By default, a whole epoch runs as one program. With `profile_batch`, or with `update_freq` other
    than "epoch", the loop stops after each step, as with any callback that has batch hooks.

    Args:
        log_dir: The run's folder.
        histogram_freq: Write histograms of the weights' finite values every this many epochs; 0 for
            never.
        write_graph: Whether to write the model's graph, with a node for each layer.
        write_images: Whether to write the weights as images, too, with each histogram.
        write_steps_per_second: Whether to write how many training steps run per second.
        update_freq: "epoch" writes losses and metrics after each epoch. "batch" also writes them
            after each step, an integer after every this many steps, as `batch_loss` and so on:
            means over the epoch so far. TensorBoard's step is the number of all steps that the
            model has made.
        profile_batch: The step of this `fit`, from 1, that JAX's profiler records, or a pair of the
            first and last step; 0 for none. The profile is written into `train/plugins/profile`;
            TensorBoard shows it with the package `xprof`.
        embeddings_freq: Must be 0: embeddings are not written.
        embeddings_metadata: Must be None.

    After each epoch, `train` receives `epoch_loss`, each metric and `epoch_learning_rate`, and
    `validation` receives the validation logs under the same names; the step is the epoch, from 0.
    After each evaluation, `validation` receives `evaluation_loss_vs_iterations` and so on; the step
    is the number of updates. The files are complete up to the last epoch, however the run ends.

    Raises:
        ImportError: The `tensorboard` package is missing.
        ValueError: An argument is invalid.

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

    only_first_process = True

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
        owner = "TensorBoard"
        import_extra(owner, "tensorboard", "tensorboard", "tensorboard")
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
        self.update_freq = checked_update_freq(owner, update_freq)
        self._profiled_steps = _checked_profile_batch(owner, profile_batch)
        if embeddings_freq or embeddings_metadata is not None:
            raise ValueError(
                f"`{owner}` does not write embeddings: leave out `embeddings_freq` and "
                "`embeddings_metadata`, and take an embedding's weights by "
                "`model.get_layer(name).get_weights()`."
            )
        if self.update_freq != "epoch" or any(self._profiled_steps):
            # Batch hooks of the instance: without them, whole epochs run as one program.
            vars(self).update(
                on_train_batch_begin=self._begin_batch, on_train_batch_end=self._end_batch
            )
        self._writers: dict[str, EventWriter] = {}
        self._training = False
        self._tracing = False
        self._batch = 0
        self._first_step = 0
        self._epoch_start = self._batch_start = 0.0
        self._steps_before = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Write the model's graph."""
        self._stop_profiler()
        self._close()
        self._training = True
        self._batch, self._first_step = 0, self._step_count()
        if self.write_graph:
            self._writer("train").graph(graph_nodes(self.model.layer_calls()))

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files."""
        self._stop_profiler()
        self._training = False
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start measuring steps per second."""
        if self.write_steps_per_second:
            self._epoch_start, self._steps_before = time.perf_counter(), self._step_count()

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """Start measuring steps per second; steps before the interruption do not count."""
        self.on_epoch_begin(epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's logs, and every `histogram_freq` epochs the weights."""
        train = {k: v for k, v in (logs or {}).items() if not k.startswith("val_")}
        validation = {k[4:]: v for k, v in (logs or {}).items() if k.startswith("val_")}
        train |= rate_logs(self.model)
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._epoch_start
            train["steps_per_second"] = (self._step_count() - self._steps_before) / seconds
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
        # The hook of the class, which a subclass may override.
        type(self).on_train_batch_begin(self, batch, logs)
        self._batch += 1
        self._batch_start = time.perf_counter()
        if self._batch == self._profiled_steps[0]:
            jax.profiler.start_trace(str(Path(self.log_dir) / "train"))
            self._tracing = True

    def _end_batch(self, batch: int, logs: Logs | None = None) -> None:
        type(self).on_train_batch_end(self, batch, logs)
        step = self._first_step + self._batch
        if self.update_freq != "epoch" and step % self.update_freq == 0:
            batch_logs: dict[str, Any] = dict(logs or {})
            if self.write_steps_per_second:
                jax.block_until_ready(self.model.train_state.step)
                batch_logs["steps_per_second"] = 1 / (time.perf_counter() - self._batch_start)
            self._write("train", "batch_{}", batch_logs, step)
        if self._tracing and self._batch >= self._profiled_steps[1]:
            self._stop_profiler()

    def _stop_profiler(self) -> None:
        if self._tracing:
            jax.block_until_ready(self.model.train_state)
            jax.profiler.stop_trace()
            self._tracing = False

    def _step_count(self) -> int:
        return int(self.model.train_state.step)

    def _write(self, part: str, tag: str, logs: Mapping[str, Any], step: int) -> None:
        for name, value in scalar_logs(logs).items():
            self._writer(part).scalar(tag.format(name), value, step)

    def _write_weights(self, epoch: int) -> None:
        train_state = self.model.train_state
        for tree in (train_state.params, only_weights(train_state.state)):
            for path, weight in jax.tree_util.tree_leaves_with_path(tree):
                if not jax.numpy.issubdtype(weight.dtype, jax.numpy.floating):
                    continue
                name, values = trees.path_name(path), np.asarray(weight, np.float32)
                finite = values[np.isfinite(values)]
                if finite.size:
                    self._writer("train").histogram(f"{name}/histogram", finite, epoch)
                images = weight_images(values) if self.write_images else None
                if images is not None:
                    self._writer("train").images(f"{name}/image", images, epoch)

    def _writer(self, part: str) -> EventWriter:
        if part not in self._writers:
            self._writers[part] = EventWriter(Path(self.log_dir) / part)
        return self._writers[part]

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


def _checked_profile_batch(owner: str, profile_batch: Any) -> tuple[int, int]:
    """Return the first and the last step to profile; 0 and 0 for none."""
    pair = profile_batch if isinstance(profile_batch, tuple | list) else (profile_batch,) * 2
    if len(pair) == 2 and all(is_integer(step) for step in pair):
        first, last = map(int, pair)
        if first == last == 0 or 1 <= first <= last:
            return first, last
    raise ValueError(
        f"`{owner}`: `profile_batch` must be 0, the number of a step from 1, or a pair of the "
        f"first and last, received {profile_batch!r}."
    )
