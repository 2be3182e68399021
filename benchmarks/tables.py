"""Tables and lists in Markdown, whose columns are straight in the source as well."""

from collections.abc import Sequence

# What is meant to be reached, and whether it is.
Target = tuple[str, bool]


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table of a head and rows, the first column to the left, all others to the right."""
    head, *others = rows
    ruled = [head, ["---", *["---:"] * (len(head) - 1)], *others]
    widths = [max(len(cell) for cell in column) for column in zip(*ruled, strict=True)]
    lines = []
    for row in ruled:
        cells = [
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def target_lines(found: Sequence[Target]) -> str:
    """Return a list of the targets."""
    return "\n".join(f"- {'pass' if good else '**FAIL**'}: {text}" for text, good in found)
