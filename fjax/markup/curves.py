"""Curves as SVG: panels side by side, drawn without a library."""

import html
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from fjax.markup.html import FAINT, tag

# The size of a panel, and the part of it in which the curves are, in pixels.
WIDTH, HEIGHT = 330, 210
LEFT, TOP, RIGHT, BOTTOM = 52, 12, 318, 184

# A curve has at most this many points, two for each column of pixels.
MAX_POINTS = 2 * (RIGHT - LEFT)

# Up to this many points have dots, without which a curve of one point cannot be seen.
MAX_DOTS = 20


class Band(NamedTuple):
    """The lower and the upper edge of a band around a curve."""

    low: np.ndarray
    high: np.ndarray


class Curve(NamedTuple):
    """A curve: its label, its color, its points, and a band around it if there is one."""

    label: str
    color: str
    x: np.ndarray
    y: np.ndarray
    band: Band | None = None


class Mark(NamedTuple):
    """A ring around a point, and the text that says what it is."""

    x: float
    y: float
    text: str


class Panel(NamedTuple):
    """A picture: a title, its curves, a mark if there is one, and what its axes are."""

    title: str
    curves: Sequence[Curve]
    mark: Mark | None = None
    log_scale: bool = False
    axis: str = "epoch"


def draw_panels(panels: Iterable[Panel]) -> str:
    """Return panels side by side, as many in a row as the page has room for, as HTML.

    Values that are not finite interrupt a curve.

    >>> curve = Curve("training", "#3b82d6", np.array([1, 2]), np.array([0.5, 0.25]))
    >>> draw_panels([Panel("loss", [curve])]).count("<svg")
    1
    """
    drawn = (tag("div", *_draw_panel(panel)) for panel in panels)
    return tag("div", *drawn, style="display:flex;flex-wrap:wrap;gap:10px 18px")


def _draw_panel(panel: Panel) -> list[str]:
    scale = _Scale(panel)
    parts = [*_grid(scale)]
    for curve in panel.curves:
        parts += _draw_curve(curve, scale)
    if panel.mark is not None:
        x, y = scale.point(panel.mark.x, panel.mark.y)
        ring = {"fill": "none", "stroke": "currentColor", "stroke_width": 1.5}
        parts.append(
            tag("circle", tag("title", html.escape(panel.mark.text)), cx=x, cy=y, r=5, **ring)
        )
    picture = tag(
        "svg",
        *parts,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        role="img",
        aria_label=f"{panel.title} by {panel.axis}",
        style="max-width:100%;height:auto;display:block",
    )
    title = tag("div", html.escape(panel.title), style="font-weight:600;font-size:.92em")
    return [title, _legend(panel), picture]


def _legend(panel: Panel) -> str:
    entries = []
    for curve in panel.curves:
        finite = curve.y[np.isfinite(curve.y)]
        value = f" {format_number(float(finite[-1]))}" if len(finite) else ""
        dot = tag("span", "●", style=f"color:{curve.color}")
        entries.append(f"{dot} {html.escape(curve.label)}{value}")
    return tag("div", " &nbsp; ".join(entries), style=f"font-size:.8em;{FAINT}")


class _Scale:
    """The map from values to pixels of a panel."""

    def __init__(self, panel: Panel) -> None:
        self._is_log = panel.log_scale
        x = np.concatenate([curve.x for curve in panel.curves] or [np.zeros(1)])
        values = [curve.y for curve in panel.curves]
        values += [edge for curve in panel.curves if curve.band for edge in curve.band]
        y = np.concatenate(values or [np.zeros(1)])
        y = y[np.isfinite(y)]
        if self._is_log:
            y = np.log10(y[y > 0])
        self.x_range = _widened(x, 0.0)
        self.y_range = _widened(y, 0.06)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of a point."""
        xs, ys = self.points(np.array([x]), np.array([y]))
        return round(float(xs[0]), 1), round(float(ys[0]), 1)

    def points(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the pixels of points; NaN where a value cannot be drawn."""
        if self._is_log:
            y = np.log10(np.where(y > 0, y, np.nan))
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        y = np.where(np.isfinite(y), y, np.nan)
        return (
            LEFT + (x - x0) / (x1 - x0) * (RIGHT - LEFT),
            BOTTOM - (y - y0) / (y1 - y0) * (BOTTOM - TOP),
        )

    def x_ticks(self) -> list[float]:
        """Return whole numbers along the horizontal axis."""
        ticks = _ticks(*self.x_range, 6)
        return sorted({float(round(tick)) for tick in ticks if self.x_range[0] <= round(tick)})

    def y_ticks(self) -> list[float]:
        """Return the values of the horizontal lines."""
        ticks = _ticks(*self.y_range, 5)
        return [10**tick for tick in ticks] if self._is_log else ticks


def _widened(values: np.ndarray, margin: float) -> tuple[float, float]:
    """Return a range around some values that is not empty."""
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    spread = high - low
    if spread <= 1e-9 * max(abs(low), abs(high)):
        half = abs(low) * 0.1 or 0.5
        return low - half, high + half
    return low - margin * spread, high + margin * spread


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Return about `count` round numbers of a range."""
    step = (high - low) / count
    size = 10.0 ** math.floor(math.log10(step))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= step * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _grid(scale: _Scale) -> list[str]:
    parts = []
    text = {"fill": "currentColor", "fill_opacity": 0.7, "font_size": 11}
    for value in scale.y_ticks():
        _, y = scale.point(scale.x_range[0], value)
        parts.append(
            tag("line", x1=LEFT, x2=RIGHT, y1=y, y2=y, stroke="currentColor", stroke_opacity=0.15)
        )
        label = html.escape(format_number(value))
        parts.append(tag("text", label, x=LEFT - 6, y=y + 4, text_anchor="end", **text))
    for value in scale.x_ticks():
        (x0, x1) = scale.x_range
        x = round(LEFT + (value - x0) / (x1 - x0) * (RIGHT - LEFT), 1)
        parts.append(tag("text", f"{value:g}", x=x, y=HEIGHT - 8, text_anchor="middle", **text))
    return parts


def _draw_curve(curve: Curve, scale: _Scale) -> list[str]:
    parts = []
    if curve.band is not None:
        x, low = scale.points(curve.x, curve.band.low)
        _, high = scale.points(curve.x, curve.band.high)
        known = np.isfinite(low) & np.isfinite(high)
        edge = np.concatenate([np.stack([x, low], 1)[known], np.stack([x, high], 1)[known][::-1]])
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in edge.tolist())
        parts.append(tag("polygon", points=points, fill=curve.color, fill_opacity=0.2))
    x, y = scale.points(curve.x, curve.y)
    x, y = _thinned(x, y)
    known = np.isfinite(y)
    path, is_open = [], False
    for a, b, is_known in zip(x.tolist(), y.tolist(), known.tolist(), strict=True):
        if is_known:
            path.append(f"{'L' if is_open else 'M'}{a:.1f} {b:.1f}")
        is_open = is_known
    line = {"fill": "none", "stroke": curve.color, "stroke_width": 1.8, "stroke_linejoin": "round"}
    if path:
        parts.append(tag("path", d="".join(path), **line))
    if len(curve.x) <= MAX_DOTS:
        parts += [
            tag("circle", cx=f"{a:.1f}", cy=f"{b:.1f}", r=2.4, fill=curve.color)
            for a, b in zip(x[known].tolist(), y[known].tolist(), strict=True)
        ]
    return parts


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return at most `MAX_POINTS` points: of each part of a long curve the lowest and highest."""
    if len(x) <= MAX_POINTS:
        return x, y
    kept: list[int] = [0]
    for part in np.array_split(np.arange(1, len(x) - 1), MAX_POINTS // 2 - 1):
        known = part[np.isfinite(y[part])]
        chosen = (
            {int(known[y[known].argmin()]), int(known[y[known].argmax()])}
            if len(known)
            else {int(part[0])}
        )
        kept += sorted(chosen)
    kept.append(len(x) - 1)
    return x[kept], y[kept]


def format_number(value: float) -> str:
    """Return a number with four digits.

    >>> [format_number(value) for value in (0.123456, 12345.678, 1.5e-7, 0.0)]
    ['0.1235', '1.235e+04', '1.5e-07', '0']
    """
    return f"{value:.4g}"
