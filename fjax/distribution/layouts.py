"""Rules that divide the weights of a model among devices."""

import dataclasses
import re
from collections.abc import Collection, Sequence

from jax.sharding import Mesh, PartitionSpec

from fjax.training.shardings import REPLICATED, FreeOutputs, Weight, axis_size, weight_table

CATCH_ALL = ".*"

# The end of the patterns that are for the outputs of layers.
OUTPUT = "output"


@dataclasses.dataclass(frozen=True)
class LargestAxis(FreeOutputs):
    """Divide each large weight along its largest axis that the mesh axis divides.

    Of axes of one size the last one is taken: the first one of the weights of `repeat` is the axis
    of the blocks, of which the loop takes one at a time.

    Attributes:
        mesh_axis: The mesh axis.
        min_size: The number of values from which a weight is large.
    """

    mesh_axis: str
    min_size: int

    def specs(self, weights: Sequence[Weight], mesh: Mesh) -> list[PartitionSpec]:
        """Return the spec of each weight; small ones are replicated."""
        count = axis_size(mesh, self.mesh_axis)
        return [self._spec(weight, count) for weight in weights]

    def for_model(self, name: str) -> "LargestAxis":
        """Return the same rule."""
        return self

    def _spec(self, weight: Weight, count: int) -> PartitionSpec:
        divisible = [axis for axis, size in enumerate(weight.shape) if size % count == 0]
        if weight.value_count < self.min_size or not divisible:
            return REPLICATED
        largest = max(divisible, key=lambda axis: (weight.shape[axis], axis))
        return PartitionSpec(*[None] * largest, self.mesh_axis)


@dataclasses.dataclass(frozen=True)
class Rules:
    """Divide the weights whose path a regular expression matches.

    A path is matched as a whole, with or without the name of the model. A path that is a pattern
    itself has its spec. The pattern ".*" is for weights that no other rule matches. The outputs of
    a layer have paths such as "encoder/dense/output". If rules are strict, a pattern that ends with
    "output" is for outputs, and others are for weights; otherwise a pattern is for both, as in
    Keras.

    Attributes:
        rules: Pairs of a regular expression and a spec.
        is_strict: Whether an error is raised if a rule matches no weight, or no rule matches a
            param. Otherwise, these are replicated.
        model: The name of the model.
    """

    rules: tuple[tuple[str, PartitionSpec], ...]
    is_strict: bool = True
    model: str | None = None

    def for_model(self, name: str) -> "Rules":
        """Return the rules for a model with this name."""
        return dataclasses.replace(self, model=name)

    def specs(self, weights: Sequence[Weight], mesh: Mesh) -> list[PartitionSpec]:
        """Return the spec of each weight.

        Raises:
            ValueError: Two rules match one weight; or, if they are strict, a rule matches nothing
                or no rule matches a param.
        """
        matches = [self.matches(weight.path) for weight in weights]
        by_pattern = dict(self.rules)
        shown, problems = [], []
        for weight, patterns in zip(weights, matches, strict=True):
            if len(patterns) > 1:
                problems.append(
                    f"The weight {weight.path!r} matches several rules: "
                    f"{', '.join(map(repr, patterns))}."
                )
                shown.append(" or ".join(map(repr, patterns)))
            elif not patterns and weight.is_trained and self.is_strict:
                problems.append(
                    f"No rule matches the weight {weight.path!r}: add one, or the rule "
                    f"{CATCH_ALL!r} for all others, with the spec `P()`."
                )
                shown.append("no rule")
            else:
                shown.append(repr(patterns[0]) if patterns else "replicated")
        used = {pattern for patterns in matches for pattern in patterns} | {CATCH_ALL}
        problems += [
            f"The rule {pattern!r} matches no weight."
            for pattern, _ in self.rules
            if self.is_strict and pattern not in used and not pattern.endswith(OUTPUT)
        ]
        if problems:
            raise ValueError("\n".join([*problems, weight_table(weights, shown, mesh)]))
        return [by_pattern[patterns[0]] if patterns else REPLICATED for patterns in matches]

    @property
    def has_outputs(self) -> bool:
        """Whether there may be specs for outputs."""
        return not self.is_strict or any(pattern.endswith(OUTPUT) for pattern, _ in self.rules)

    def output_spec(self, path: str) -> PartitionSpec | None:
        """Return the spec of the outputs of the layer with a path, or None.

        Raises:
            ValueError: Two rules match the outputs.
        """
        patterns = self.matches(_output_path(path))
        if len(patterns) > 1:
            raise ValueError(
                f"The outputs of the layer {path!r} match several rules: "
                f"{', '.join(map(repr, patterns))}."
            )
        return dict(self.rules)[patterns[0]] if patterns else None

    def check_outputs(self, paths: Collection[str]) -> None:
        """Raise ValueError if rules are strict and one for outputs matches none of these layers."""
        if not self.is_strict:
            return
        used = {pattern for path in paths for pattern in self.matches(_output_path(path))}
        for pattern, _ in self.rules:
            if pattern.endswith(OUTPUT) and pattern not in used:
                raise ValueError(
                    f"The rule {pattern!r} matches the outputs of no layer. The outputs are "
                    f"{', '.join(repr(_output_path(path)) for path in dict.fromkeys(paths))}."
                )

    def matches(self, path: str) -> list[str]:
        """Return the patterns that match the path of a weight, or of outputs."""
        names = [path] if self.model is None else [path, f"{self.model}/{path}"]
        is_output = path.split("/")[-1] == OUTPUT
        patterns = [
            pattern
            for pattern, _ in self.rules
            if not self.is_strict or pattern.endswith(OUTPUT) == is_output
        ]
        exact = [pattern for pattern in patterns if pattern in names]
        if exact:
            return exact
        found = [
            pattern for pattern in patterns if any(re.fullmatch(pattern, name) for name in names)
        ]
        return [pattern for pattern in found if pattern != CATCH_ALL] or found


def _output_path(path: str) -> str:
    """Return the path of the outputs of a layer; the network itself has the path ""."""
    return f"{path}/{OUTPUT}" if path else OUTPUT
