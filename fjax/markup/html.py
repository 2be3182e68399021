"""HTML elements, with colors that suit light and dark notebooks."""

import html
from collections.abc import Iterable, Sequence

# Text has the color of the notebook around it, so that it can be read on light and on dark pages.
FAINT = "opacity:.65"
CODE = "font-family:ui-monospace,Menlo,Consolas,monospace"
RULE = "border-bottom:1px solid rgba(128,128,128,.35)"


def tag(name: str, *content: str, **attributes: object) -> str:
    """Return an element with escaped attributes around markup, which is not escaped.

    Args:
        name: The name of the element.
        *content: The markup within.
        **attributes: Its attributes, `_` for `-`; those that are None are left out.

    >>> tag("td", "&lt;b&gt;", title="a < b")
    '<td title="a &lt; b">&lt;b&gt;</td>'
    """
    texts = [
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    ]
    return f"<{name}{''.join(texts)}>{''.join(content)}</{name}>"


def draw_table(
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Sequence[int] = (),
    fixed: Sequence[int] = (),
) -> str:
    """Return a table of plain texts, which are escaped.

    Args:
        titles: The titles of the columns; empty for a table without a header.
        rows: The texts of each row.
        numbers: The columns that are aligned to the right.
        fixed: The columns in the font of code.
    """

    def cell(kind: str, column: int, text: str) -> str:
        style = f"padding:.2em .8em;text-align:{'right' if column in numbers else 'left'};{RULE}"
        if kind == "th":
            style += f";font-weight:600;{FAINT}"
        elif column in fixed:
            style += f";{CODE};font-size:.92em"
        return tag(kind, html.escape(text), style=style)

    head = tag("tr", *(cell("th", n, title) for n, title in enumerate(titles))) if titles else ""
    body = [tag("tr", *(cell("td", n, text) for n, text in enumerate(row))) for row in rows]
    style = "border-collapse:collapse;font-size:.92em;color:inherit;background:none;margin:0"
    return tag("table", head, *body, style=style)
