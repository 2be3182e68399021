"""The decision boundary of a classifier of two features."""

from typing import Any

import numpy as np

from fjax.errors import explain_keywords, integer_at_least, number_between
from fjax.visualization.figures import check_file, pyplot, save_figure
from fjax.visualization.labels import check_class_names, read_classes

# The grid has tens of thousands of points: `predict` takes this many in one step.
BATCH_SIZE = 4096

# The colors of two classes: their samples, and the background from class 0 to class 1.
SAMPLE_COLORS = ("#2b6cb0", "#c53030")
BACKGROUND_COLORS = ("#9cc3e6", "#ffffff", "#f0a3a3")

# The coordinates of the grid along each feature.
Grid = tuple[np.ndarray, np.ndarray]


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
    """Draw the predictions of a classifier over the plane of two features, and samples on top.

    For a model with one output, the background shows the probability of class 1, and a line shows
    where it equals the threshold. For several outputs, the background shows the class with the
    largest output, paler where the second largest is close.

    Args:
        model: A model of two features with one or several outputs, or any object whose
            `predict(x, batch_size=…, verbose=0)` returns these outputs.
        x: The samples, of shape (n, 2).
        y: Their classes: numbers from 0, or one-hot rows.
        class_names: A name for each class, by default its number.
        feature_names: The names of the two features.
        resolution: How many points of the grid each side has.
        threshold: The value of a single output on the boundary; 0 for a model that returns logits.
        to_file: Also save the figure in this file: .png, .svg or .pdf.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: The samples do not have two features, `x` and `y` differ in length, or the
            outputs are not those of a classifier.

    >>> import fjax
    >>> model = fjax.Sequential([fjax.layers.Dense(1, "sigmoid", input_shape=(2,))], seed=0)
    >>> x = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> figure = plot_decision_boundary(model, x, [0, 1], resolution=20)
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['0', '1']
    """
    owner = "plot_decision_boundary"
    file = check_file(owner, to_file)
    resolution = integer_at_least(owner, "resolution", resolution, 2)
    number_between(owner, "threshold", threshold, -np.inf)
    points = _check_points(owner, x)
    classes = read_classes(owner, "y", y)
    if len(classes) != len(points):
        raise ValueError(f"`{owner}`: `x` has {len(points)} samples and `y` {len(classes)}.")
    titles = ["feature 0", "feature 1"] if feature_names is None else list(feature_names)
    if len(titles) != 2:
        raise ValueError(f"`{owner}`: `feature_names` must be two names, received {titles}.")

    grid = (_coordinates(points[:, 0], resolution), _coordinates(points[:, 1], resolution))
    grid_points = np.stack([axis.ravel() for axis in np.meshgrid(*grid)], axis=1)
    outputs = _predict(owner, model, grid_points.astype(points.dtype), threshold)
    count = max(int(classes.max()) + 1, outputs.shape[1], 2)
    names = check_class_names(owner, class_names, count)

    plt = pyplot(owner)
    figure, axes = plt.subplots(figsize=(6.2, 4.8), layout="constrained")
    if outputs.shape[1] == 1:
        colors: list[Any] = list(SAMPLE_COLORS)
        _draw_one_output(figure, axes, grid, outputs.reshape(resolution, resolution), threshold)
    else:
        colors = [plt.get_cmap("tab10" if count <= 10 else "tab20")(n % 20) for n in range(count)]
        _draw_several_outputs(axes, grid, outputs.reshape(resolution, resolution, -1), colors)
    marker_size = float(np.clip(6000 / len(points), 10, 40))
    for number, name in enumerate(names[:count]):
        samples = points[classes == number]
        if len(samples):
            color = [colors[number % len(colors)]]
            axes.scatter(
                *samples.T, c=color, s=marker_size, edgecolors="white",
                linewidths=0.5, label=name,
            )  # fmt: skip
    axes.set(xlabel=titles[0], ylabel=titles[1], xlim=grid[0][[0, -1]], ylim=grid[1][[0, -1]])
    axes.legend(frameon=True, framealpha=0.85, fontsize="small", loc="upper right")
    return save_figure(figure, file)


def _check_points(owner: str, x: Any) -> np.ndarray:
    points = np.asarray(x)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(
            f"`{owner}` draws a plane: `x` must have shape (n, 2), received {points.shape}."
        )
    if points.dtype.kind not in "buif" or not np.isfinite(points).all():
        raise ValueError(f"`{owner}`: `x` must hold finite numbers.")
    return points if points.dtype.kind == "f" else points.astype(np.float32)


def _coordinates(values: np.ndarray, resolution: int) -> np.ndarray:
    """Return the grid's coordinates along a feature, with a margin on both sides."""
    low, high = float(values.min()), float(values.max())
    margin = 0.08 * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, resolution)


def _predict(owner: str, model: Any, points: np.ndarray, threshold: float) -> np.ndarray:
    """Return the model's outputs for the points, of shape (n, outputs)."""
    outputs = np.asarray(model.predict(points, batch_size=min(BATCH_SIZE, len(points)), verbose=0))
    if outputs.ndim == 1:
        outputs = outputs[:, None]
    if outputs.ndim != 2 or len(outputs) != len(points):
        raise ValueError(
            f"`{owner}` needs a model with one output of shape (None, classes) or (None, 1), and "
            f"its `predict` returned shape {outputs.shape} for {len(points)} samples."
        )
    if outputs.shape[1] == 1 and threshold == 0.5 and (outputs.min() < 0 or outputs.max() > 1):
        raise ValueError(
            f"`{owner}`: the model's outputs range from {outputs.min():.3g} to "
            f"{outputs.max():.3g} and are not probabilities: give `threshold=0` for logits."
        )
    return outputs


def _draw_one_output(
    figure: Any, axes: Any, grid: Grid, output: np.ndarray, threshold: float
) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    span, label = 0.5, "probability of class 1"
    if threshold != 0.5:
        # The largest quarter of the logits would leave the rest pale.
        span, label = max(float(np.quantile(np.abs(output - threshold), 0.75)), 1e-6), "output"
    image = axes.imshow(
        output, cmap=LinearSegmentedColormap.from_list("classes", BACKGROUND_COLORS),
        origin="lower", aspect="auto", extent=_extent(grid), vmin=threshold - span,
        vmax=threshold + span, interpolation="bilinear",
    )  # fmt: skip
    figure.colorbar(image, ax=axes, label=label, extend="neither" if span == 0.5 else "both")
    _draw_zero_line(axes, grid, output - threshold)


def _draw_several_outputs(axes: Any, grid: Grid, outputs: np.ndarray, colors: list[Any]) -> None:
    ordered = np.sort(outputs, axis=-1)
    # The margin of the decision, which is 0 on the boundary.
    margin = ordered[..., -1] - ordered[..., -2]
    opacity = (0.12 + 0.38 * margin / max(float(margin.max()), 1e-9))[..., None]
    class_colors = np.array([color[:3] for color in colors])[outputs.argmax(axis=-1)]
    axes.imshow(
        np.clip(class_colors * opacity + (1 - opacity), 0, 1), origin="lower", aspect="auto",
        extent=_extent(grid), interpolation="nearest",
    )  # fmt: skip
    for number in range(outputs.shape[-1]):
        others = np.delete(outputs, number, axis=-1).max(axis=-1)
        _draw_zero_line(axes, grid, outputs[..., number] - others)


def _draw_zero_line(axes: Any, grid: Grid, values: np.ndarray) -> None:
    """Draw the line on which the values are zero, if they change their sign."""
    if values.min() < 0 < values.max():
        axes.contour(*grid, values, levels=[0], colors="#1a202c", linewidths=1.2)


def _extent(grid: Grid) -> tuple[float, ...]:
    x, y = grid
    return (x[0], x[-1], y[0], y[-1])
