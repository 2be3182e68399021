"""The metrics of `compile` as one metric, as `model.metrics` lists them."""

from collections.abc import Sequence
from typing import Any

import jax

from fjax.core.masking import strip_masks
from fjax.metrics import Metric
from fjax.training import NamedMetric
from fjax.training.output_losses import output_path, weight_at
from fjax.trees import branch
from fjax.typing import PyTree


class CompiledMetrics(Metric):
    """The metrics of `compile`; its result is a dict of their results.

    Their variables exist once the shapes of targets and outputs are known.
    """

    def __init__(self, name: str = "compile_metrics") -> None:
        super().__init__(name=name)
        self.entries: list[NamedMetric] = []
        self.measured: list[Metric] = []

    def build_for(self, entries: Sequence[NamedMetric], targets: PyTree, outputs: PyTree) -> None:
        """Create the variables of these metrics, unless they exist.

        Args:
            entries: The metrics with their names in the logs.
            targets: The targets or their shapes.
            outputs: The outputs or their shapes.
        """
        if [entry.name for entry in entries] == [entry.name for entry in self.entries]:
            return
        self.entries = list(entries)
        self.measured = [entry.metric.from_config(entry.metric.get_config())
                         if not entry.metric.has_own_init else entry.metric
                         for entry in entries]  # fmt: skip
        for metric, entry in zip(self.measured, entries, strict=True):
            path = output_path(entry.output)
            specs = jax.tree.map(
                lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), (targets, strip_masks(outputs))
            )
            metric.stored_accumulator(*(branch(tree, path) for tree in specs))

    def update_state(self, y_true: PyTree, y_pred: PyTree, sample_weight: Any = None) -> None:
        """Add a batch to each metric."""
        for metric, entry in zip(self.measured, self.entries, strict=True):
            path = output_path(entry.output)
            weight = weight_at(sample_weight, path) if entry.weighted else None
            target, output = branch(y_true, path), branch(strip_masks(y_pred), path)
            metric.update_state(target, output, weight)

    def result(self) -> Any:
        """Return the result of each metric, by its name in the logs."""
        return {
            entry.name: metric.result()
            for metric, entry in zip(self.measured, self.entries, strict=True)
        }
