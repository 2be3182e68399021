"""Class weights: each sample is weighted by its class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fjax.data.structure import check_count, check_names, match_structure, paths
from fjax.errors import integer_at_least, number_between
from fjax.training.batch import Batch, rows
from fjax.training.output_losses import weight_at
from fjax.trees import branch
from fjax.typing import PyTree, Shape


def with_class_weight(
    batch: Batch, class_weight: Any, outputs: PyTree, names: Sequence[str]
) -> Batch:
    """Return the data with the class weights multiplied into the sample weights.

    Args:
        batch: The data, targets in the structure of the outputs.
        class_weight: A dict of class to weight; for several outputs, a dict by name or a list of
            such dicts, None for an output whose classes are not weighted; or None.
        outputs: The shapes of the outputs.
        names: The names of the outputs.
    """
    if class_weight is None:
        return batch
    output_paths = paths(outputs, names)
    weights = {}
    for name, weight_of_class in _by_output(class_weight, names).items():
        path = output_paths[name]
        weight = weight_at(batch.sample_weight, path)
        if weight_of_class is not None:
            suffix = f"[{name!r}]" if len(names) > 1 else ""
            by_class = _weight_of_samples(
                suffix, weight_of_class, branch(batch.targets, path),
                tuple(branch(outputs, path).shape), rows(batch),
            )  # fmt: skip
            weight = by_class if weight is None else by_class * weight
        weights[name] = weight
    return batch._replace(
        sample_weight=match_structure("class_weight", "output", weights, outputs, names, needed=())
    )


def _by_output(class_weight: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the dict of class to weight of each output, or None."""
    by_name = isinstance(class_weight, Mapping) and any(
        isinstance(value, Mapping) for value in class_weight.values()
    )
    if by_name:
        check_names("class_weight", "output", class_weight, names)
        return {name: class_weight.get(name) for name in names}
    if len(names) > 1:
        if not isinstance(class_weight, list | tuple):
            raise TypeError(
                f"`fit`: the model has the outputs {', '.join(names)}: `class_weight` must be a "
                "dict by output, or a list, of dicts of class to weight, received "
                f"{class_weight!r}."
            )
        check_count("class_weight", class_weight, names)
        return dict(zip(names, class_weight, strict=True))
    return {names[0]: class_weight}


def _weight_of_samples(
    suffix: str, class_weight: Any, labels: Any, output: Shape, count: int
) -> np.ndarray:
    """Return the weight of each sample by its class.

    Args:
        suffix: What names the output in errors.
        class_weight: A dict of class to weight.
        labels: The labels, or one-hot rows.
        output: The shape of the output, batch axis included.
        count: The number of samples.
    """
    argument, y = f"class_weight{suffix}", f"y{suffix}"
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            f"`fit`: `{argument}` must be a dict of class to weight, such as {{0: 1.0, 1: 5.0}}, "
            f"received {class_weight!r}."
        )
    if len(output) > 2:
        raise ValueError(
            f"`fit`: `{argument}` weighs samples of one class each, and the model has an output of "
            f"shape {('batch', *output[1:])}, with several classes in a sample: pass weights of "
            f"the single entries instead, `sample_weight=np.array([1.0, 5.0])[{y}]` for `y` of "
            "integers, one number for each class."
        )
    classes = max(output[-1], 2)
    weights = np.ones(classes, np.float32)
    for label, weight in class_weight.items():
        if integer_at_least("fit", f"a key of `{argument}`", label, 0) >= classes:
            raise ValueError(
                f"`fit`: `{argument}` names class {label}, but the model's output has the "
                f"classes 0 to {classes - 1}."
            )
        weights[label] = number_between("fit", f"{argument}[{label}]", weight, 0.0)
    if not hasattr(labels, "ndim"):
        raise ValueError(f"`fit`: `{argument}` needs one array of class labels as `{y}`.")
    shape = labels.shape
    labels = labels.argmax(-1) if labels.ndim > 1 and labels.shape[-1] > 1 else labels.reshape(-1)
    bad = np.flatnonzero((labels != np.floor(labels)) | (labels < 0) | (labels >= classes))
    if len(bad):
        raise ValueError(
            f"`fit`: `{argument}` needs class labels from 0 to {classes - 1} as `{y}`, but row "
            f"{bad[0]} has {labels[bad[0]]}."
        )
    weight = weights[labels.astype(np.int32)]
    if weight.shape != (count,):
        raise ValueError(
            f"`fit`: `{argument}` needs one class label for each sample, received `{y}` of shape "
            f"{shape}."
        )
    return weight
