"""Where a classifier of two features draws its lines."""

from typing import Any

import numpy as np

from fjax.errors import explain_keywords, integer_at_least, number_between
from fjax.visualization.figures import checked_file, pyplot, written
from fjax.visualization.labels import checked_names, classes_of

# Rows of the grid in one step of `predict`: there are tens of thousands.
BATCH = 4096

# The two classes of one output: their samples, and the shades behind them.
PAIR = ("#2b6cb0", "#c53030")
PALE = ("#9cc3e6", "#ffffff", "#f0a3a3")

Place = tuple[np.ndarray, np.ndarray]


@explain_keywords
def plot_decision_boundary(
    model: Any,
    x: Any,
    y: Any,
    class_names: Any = None,
    feature_names: Any = None,
    resolution: int = 200,
    threshold: float = 0.5,
    to_file: Any = None,
) -> Any:
    """Draw what a classifier of two features says at each place, and the samples over it.

    Of one output the shades are its probability of class 1, and the line is where it meets the
    threshold. Of several outputs the colors are the classes of the largest, the paler the closer
    the next one is.

    Args:
        model: A model with two features in and one or several outputs, or anything else whose
            `predict(x, batch_size=…, verbose=0)` returns these.
        x: The samples, of shape (n, 2).
        y: Their classes: numbers from 0, or one-hot.
        class_names: A name for each class, by default its number.
        feature_names: The names of the two features.
        resolution: How many places along each side the model is asked at.
        threshold: Where the line of one output is; 0 for a model that returns logits.
        to_file: Also write the figure into this file: .png, .svg or .pdf.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: The samples do not have two features, or as many classes; or the outputs are
            not those of a classifier.

    >>> import fjax
    >>> model = fjax.Sequential([fjax.layers.Dense(1, "sigmoid", input_shape=(2,))], seed=0)
    >>> x = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> figure = plot_decision_boundary(model, x, [0, 1], resolution=20)
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['0', '1']
    """
    owner = "plot_decision_boundary"
    file = checked_file(owner, to_file)
    resolution = integer_at_least(owner, "resolution", resolution, 2)
    number_between(owner, "threshold", threshold, -np.inf)
    points = _points(owner, x)
    classes = classes_of(owner, "y", y)
    if len(classes) != len(points):
        raise ValueError(f"`{owner}`: `x` has {len(points)} samples and `y` {len(classes)}.")
    titles = ["feature 0", "feature 1"] if feature_names is None else list(feature_names)
    if len(titles) != 2:
        raise ValueError(f"`{owner}`: `feature_names` must be two names, received {titles}.")

    across, up = (_along(points[:, axis], resolution) for axis in (0, 1))
    grid = np.stack([each.ravel() for each in np.meshgrid(across, up)], axis=1)
    outputs = _outputs(owner, model, grid.astype(points.dtype), threshold)
    count = max(int(classes.max()) + 1, outputs.shape[1], 2)
    names = checked_names(owner, class_names, count)

    plt = pyplot(owner)
    figure, axes = plt.subplots(figsize=(6.2, 4.8), layout="constrained")
    place = (across, up)
    if outputs.shape[1] == 1:
        colors: list[Any] = list(PAIR)
        _draw_one(figure, axes, place, outputs.reshape(resolution, resolution), threshold)
    else:
        colors = [plt.get_cmap("tab10" if count <= 10 else "tab20")(n % 20) for n in range(count)]
        _draw_several(axes, place, outputs.reshape(resolution, resolution, -1), colors)
    for number, name in enumerate(names[:count]):
        own = points[classes == number]
        if len(own):
            color = [colors[number % len(colors)]]
            axes.scatter(
                *own.T, c=color, s=_dot(len(points)), edgecolors="white", linewidths=0.5,
                label=name,
            )  # fmt: skip
    axes.set(xlabel=titles[0], ylabel=titles[1], xlim=across[[0, -1]], ylim=up[[0, -1]])
    axes.legend(frameon=True, framealpha=0.85, fontsize="small", loc="upper right")
    return written(figure, file)


def _points(owner: str, x: Any) -> np.ndarray:
    points = np.asarray(x)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(
            f"`{owner}` draws in a plane: `x` must have shape (n, 2), received {points.shape}."
        )
    if points.dtype.kind not in "buif" or not np.isfinite(points).all():
        raise ValueError(f"`{owner}`: `x` must hold finite numbers.")
    return points if points.dtype.kind == "f" else points.astype(np.float32)


def _along(values: np.ndarray, resolution: int) -> np.ndarray:
    """Return places along a feature, with a margin on both sides."""
    low, high = float(values.min()), float(values.max())
    margin = 0.08 * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, resolution)


def _outputs(owner: str, model: Any, grid: np.ndarray, threshold: float) -> np.ndarray:
    """Return the model's outputs for the grid, of shape (n, outputs)."""
    outputs = np.asarray(model.predict(grid, batch_size=min(BATCH, len(grid)), verbose=0))
    if outputs.ndim == 1:
        outputs = outputs[:, None]
    if outputs.ndim != 2 or len(outputs) != len(grid):
        raise ValueError(
            f"`{owner}` needs a model of one output of shape (None, classes) or (None, 1), its "
            f"`predict` returned shape {outputs.shape} for {len(grid)} samples."
        )
    if outputs.shape[1] == 1 and threshold == 0.5 and (outputs.min() < 0 or outputs.max() > 1):
        raise ValueError(
            f"`{owner}`: the model's outputs go from {outputs.min():.3g} to {outputs.max():.3g} "
            "and are no probabilities: give `threshold=0` for logits."
        )
    return outputs


def _draw_one(figure: Any, axes: Any, place: Place, output: np.ndarray, threshold: float) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    reach, label = 0.5, "probability of class 1"
    if threshold != 0.5:
        # A few places far away would leave the rest pale.
        reach, label = max(float(np.quantile(np.abs(output - threshold), 0.75)), 1e-6), "output"
    shaded = axes.imshow(
        output, cmap=LinearSegmentedColormap.from_list("classes", PALE), origin="lower",
        aspect="auto", extent=_extent(place), vmin=threshold - reach, vmax=threshold + reach,
        interpolation="bilinear",
    )  # fmt: skip
    figure.colorbar(shaded, ax=axes, label=label, extend="neither" if reach == 0.5 else "both")
    _draw_line(axes, place, output - threshold)


def _draw_several(axes: Any, place: Place, outputs: np.ndarray, colors: list[Any]) -> None:
    ordered = np.sort(outputs, axis=-1)
    # How clear the decision is, from 0 on a line to 1.
    clear = ordered[..., -1] - ordered[..., -2]
    strength = (0.12 + 0.38 * clear / max(float(clear.max()), 1e-9))[..., None]
    shades = np.array([color[:3] for color in colors])[outputs.argmax(axis=-1)]
    axes.imshow(
        np.clip(shades * strength + (1 - strength), 0, 1), origin="lower", aspect="auto",
        extent=_extent(place), interpolation="nearest",
    )  # fmt: skip
    for number in range(outputs.shape[-1]):
        others = np.delete(outputs, number, axis=-1).max(axis=-1)
        _draw_line(axes, place, outputs[..., number] - others)


def _draw_line(axes: Any, place: Place, values: np.ndarray) -> None:
    """Draw where the values are zero, if they are anywhere."""
    if values.min() < 0 < values.max():
        axes.contour(*place, values, levels=[0], colors="#1a202c", linewidths=1.2)


def _extent(place: Place) -> tuple[float, ...]:
    across, up = place
    return (across[0], across[-1], up[0], up[-1])


def _dot(count: int) -> float:
    return float(np.clip(6000 / count, 10, 40))
