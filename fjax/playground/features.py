"""The features: functions of the two coordinates that a network may have as inputs."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from fjax.playground.messages import PlaygroundError

FEATURES: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "x1": lambda x1, x2: x1,
    "x2": lambda x1, x2: x2,
    "x1^2": lambda x1, x2: x1**2,
    "x2^2": lambda x1, x2: x2**2,
    "x1*x2": lambda x1, x2: x1 * x2,
    "sin(x1)": lambda x1, x2: np.sin(x1),
    "sin(x2)": lambda x1, x2: np.sin(x2),
}


def make_features(x: np.ndarray, features: Sequence[str] = ("x1", "x2")) -> np.ndarray:
    """Return some features of points, float32 of shape `(points, features)`.

    Args:
        x: The points, of shape `(points, 2)`.
        features: Names from "x1", "x2", "x1^2", "x2^2", "x1*x2", "sin(x1)" and "sin(x2)".

    Raises:
        ValueError: There is no feature, or its name is unknown.

    >>> make_features(np.array([[2.0, 3.0]]), ["x1", "x2^2", "x1*x2"])
    array([[2., 9., 6.]], dtype=float32)
    """
    unknown = [name for name in features if name not in FEATURES]
    if unknown:
        raise PlaygroundError("choice", name="features", received=unknown[0], known=_known())
    if not features:
        raise PlaygroundError("no_feature")
    x1, x2 = np.asarray(x, np.float64).T
    columns = [FEATURES[name](x1, x2) for name in features]
    return np.stack(columns, axis=1).astype(np.float32)


def _known() -> str:
    return ", ".join(FEATURES)
