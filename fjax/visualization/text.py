"""A model drawn as text: a line for each layer, and rails beside them that show who calls whom."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from fjax.models.summary import shape_text
from fjax.models.table import available_width
from fjax.visualization.diagram import Box, Diagram, Path, diagram_of

# The sign with lines up, down, to the left and to the right.
_SIGNS = {
    (True, True, False, False): "│",
    (False, False, True, True): "─",
    (True, True, False, True): "├",
    (True, True, True, False): "┤",
    (True, True, True, True): "┼",
    (True, False, False, True): "╰",
    (True, False, True, False): "╯",
    (True, False, True, True): "┴",
    (False, True, False, True): "╭",
    (False, True, True, False): "╮",
    (False, True, True, True): "┬",
}  # fmt: skip


def text_drawing(model: Any, show_shapes: bool = False, expand_nested: bool = False) -> str:
    """Return a drawing of a model for the terminal: a line for each layer, inputs first.

    The rails on the left lead from a layer down to those that are called on its output. A circle
    is an input, a dot a layer; a layer that is called several times stands there once.

    Args:
        model: A model whose input shape is known.
        show_shapes: Whether to write the shapes of outputs.
        expand_nested: Whether to draw the layers within layers, as `outer/inner`.

    Raises:
        TypeError: It is no model.
        ValueError: Its input shape is not known yet.

    >>> from fjax import Model
    >>> from fjax.layers import Dense, Input
    >>> inputs = Input((4,), name="features")
    >>> hidden = Dense(4, name="hidden")(inputs)
    >>> print(text_drawing(Model(inputs, Dense(1, name="price")(inputs + hidden))))
    ○   features (InputLayer)
    ├─╮
    │ ● hidden (Dense)
    ├─╯
    ●   add (Add)
    ●   price (Dense) → output
    """
    return text_of(diagram_of("text_drawing", model, expand_nested), show_shapes)


def text_of(diagram: Diagram, show_shapes: bool) -> str:
    """Return a drawing of boxes and arrows; see `text_drawing`."""
    order = _ordered(diagram)
    if not order:
        return f"{diagram.name} has no layers"
    lines = list(_railed(order))
    width = available_width()
    rails = max(len(line.rails) for line in lines)
    if rails > width // 2:
        return "\n".join(_listed(order, show_shapes, width))
    titles = {each.box.path: _title(each) for each in order}
    longest = max(len(title) for title in titles.values())
    drawn = []
    for line in lines:
        begin = f"{line.rails:{rails}} "
        if line.box is None:
            drawn.append(begin.rstrip())
            continue
        title = titles[line.box.path]
        shape = shape_text(line.box.outputs) if show_shapes else ""
        if rails + 1 + longest + 2 + len(shape) <= width:
            drawn.append(f"{begin}{title:{longest}}  {shape}".rstrip())
        else:
            below = f"{line.after:{rails}}   "
            drawn.append(f"{begin}{title}")
            drawn += [below + part for part in textwrap.wrap(shape, max(width - len(below), 20))]
    return "\n".join(drawn)


class _Placed(NamedTuple):
    """A box in its place in the order, and the boxes before and after it that it is called on."""

    box: Box
    sources: tuple[Path, ...]
    later: tuple[Path, ...]


class _Line(NamedTuple):
    """A line of the drawing: its rails, the rails that go on below, and its box, if it has one."""

    rails: str
    after: str
    box: Box | None = None


def _ordered(diagram: Diagram) -> list[_Placed]:
    """Return the boxes, each behind those that it is called on, and a branch as a whole."""
    boxes = {box.path: box for box in diagram.boxes}
    sources: dict[Path, list[Path]] = {path: [] for path in boxes}
    for begin, end in diagram.arrows:
        sources[end].append(begin)
    order: list[_Placed] = []
    done: set[Path] = set()
    met: set[Path] = set()
    ends = [box.path for box in diagram.boxes if box.is_output]
    for end in [*ends, *boxes]:
        stack = [end]
        while stack:
            path = stack[-1]
            if path not in met:
                met.add(path)
                stack += [each for each in reversed(sources[path]) if each not in met]
                continue
            stack.pop()
            if path not in done:
                before = tuple(each for each in sources[path] if each in done)
                # Layers that are called in turns: one of them must stand first.
                later = tuple(each for each in sources[path] if each not in done)
                done.add(path)
                order.append(_Placed(boxes[path], before, later))
    return order


def _railed(order: Sequence[_Placed]) -> Iterator[_Line]:
    """Return the lines of the drawing, with the rails that lead from box to box."""
    waiting: dict[Path, int] = {}
    for each in order:
        for source in each.sources:
            waiting[source] = waiting.get(source, 0) + 1
    # What each rail leads on; None where there is none.
    lanes: list[Path | None] = []
    last: int | None = None
    for each in order:
        places = [lanes.index(source) for source in each.sources]
        for source in each.sources:
            waiting[source] -= 1
        ended = {place for place in places if not waiting[lanes[place] or ()]}
        free = [place for place, lane in enumerate(lanes) if lane is None]
        own = min(ended) if ended else min(free, default=len(lanes))
        if own == len(lanes):
            lanes.append(None)
        if any(place != own for place in places):
            yield _Line(_joint(lanes, places, ended, own), "")
        elif not places and own == last:
            # Without a gap it would seem to be called on the box above.
            yield _Line(_rails(lanes), "")
        for place in ended:
            lanes[place] = None
        lanes[own] = each.box.path
        rails = _rails(lanes)
        sign = "○" if each.box.is_input else "●"
        if not waiting.get(each.box.path):
            lanes[own] = None
        yield _Line(rails[: 2 * own] + sign + rails[2 * own + 1 :], _rails(lanes), each.box)
        last = own


def _rails(lanes: Sequence[Path | None]) -> str:
    return " ".join(" " if lane is None else "│" for lane in lanes)


def _joint(lanes: Sequence[Path | None], places: Sequence[int], ended: set[int], own: int) -> str:
    """Return the line above a box that leads from its sources' rails to its own."""
    first, last = min(*places, own), max(*places, own)
    text = ""
    for place, lane in enumerate(lanes):
        within = first <= place <= last
        if place == own or place in places:
            up, down = place in places, place == own or place not in ended
            text += _SIGNS[up, down, place > first, place < last]
        elif lane is not None:
            text += "│"
        else:
            text += "─" if within else " "
        text += "─" if first <= place < last else " "
    return text.rstrip()


def _title(each: _Placed) -> str:
    title = f"{'/'.join(each.box.path)} ({each.box.kind})"
    if each.later:
        title += f" ↺ also on {', '.join('/'.join(path) for path in each.later)}"
    return title + (" → output" if each.box.is_output else "")


def _listed(order: Sequence[_Placed], show_shapes: bool, width: int) -> Iterator[str]:
    """Return a line for each box with the names of its sources, where rails would fill the page."""
    for each in order:
        line = _title(each)
        if each.sources:
            line += f" ← {', '.join('/'.join(path) for path in each.sources)}"
        if show_shapes:
            line += f"  {shape_text(each.box.outputs)}"
        yield from textwrap.wrap(line, width, subsequent_indent="    ")
