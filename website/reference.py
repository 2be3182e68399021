"""The reference: a page for each public module, with every public name and its docstring.

Modules and names are found in the package, and what is said of them is in their docstrings.
"""

import ast
import functools
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

from fjax.public_names import exported_names

# The classes whose inherited methods and attributes are listed, too: users call or define them.
WITH_INHERITED = ("fjax.models.Sequential", "fjax.core.Layer", "fjax.callbacks.Callback")

_INTRODUCTION = (
    "All public names, by module. Each page has the docstrings of one module: arguments, shapes, "
    "errors and an example each, which `help(fjax.layers.Dense)` prints, too."
)


class Entry(NamedTuple):
    """A public name: where it is, its object, and one line that says what it is."""

    path: str
    value: Any
    line: str

    @property
    def name(self) -> str:
        """The name without its module."""
        return self.path.rpartition(".")[2]


@functools.cache
def public_modules() -> dict[str, ModuleType]:
    """Return the public modules by name, beginning with the package."""
    return dict(_walk("fjax"))


def _walk(name: str) -> Iterator[tuple[str, ModuleType]]:
    module = importlib.import_module(name)
    yield name, module
    for public in sorted(exported_names(module)):
        if isinstance(getattr(module, public), ModuleType):
            yield from _walk(f"{name}.{public}")


def entries(module_name: str) -> list[Entry]:
    """Return the public names of a module, in alphabetical order."""
    module = public_modules()[module_name]
    comments = _comments(module)
    result = []
    for name in sorted(exported_names(module), key=lambda name: (name.lower(), name)):
        value = getattr(module, name)
        result.append(
            Entry(f"{module_name}.{name}", value, comments.get(name) or _line(name, value))
        )
    return result


def _line(name: str, value: Any) -> str:
    """Return the first sentence of a docstring, or of which object this is another name."""
    if not _has_docstring(value):
        return ""
    if not isinstance(value, ModuleType) and value.__name__ != name:
        return f"Another name of `{value.__name__}`."
    return " ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split())


def _has_docstring(value: Any) -> bool:
    """Return whether a docstring describes a value, and not only its type."""
    return isinstance(value, ModuleType) or inspect.isroutine(value) or inspect.isclass(value)


def _comments(owner: ModuleType | type) -> dict[str, str]:
    """Return the comment above each assignment of a module or class, by name."""
    source = textwrap.dedent(inspect.getsource(owner))
    tree: Any = ast.parse(source)
    lines, result = [line.lstrip() for line in source.splitlines()], {}
    for node in tree.body if isinstance(owner, ModuleType) else tree.body[0].body:
        first = last = node.lineno - 1
        while first > 0 and lines[first - 1].startswith("# "):
            first -= 1
        if first < last:
            comment = " ".join(line[2:] for line in lines[first:last])
            result |= dict.fromkeys(_assigned(node), comment)
    return result


def attributes(owner: type) -> list[Entry]:
    """Return the public attributes of a class that are neither methods nor properties.

    What they are is said above their definition, or in the docstring of one of the classes.
    """
    sources = [source for source in owner.__mro__ if source.__module__.startswith("fjax.")]
    documented: dict[str, str] = {}
    for source in reversed(sources):
        documented |= _documented_in(inspect.getdoc(source) or "") | _comments(source)
    result = []
    for name in dir(owner):
        value = inspect.getattr_static(owner, name)
        described = inspect.isroutine(value) or isinstance(value, property | staticmethod)
        if not name.startswith("_") and not described:
            result.append(Entry(f"{owner.__name__}.{name}", value, documented.get(name, "")))
    return result


def _documented_in(docstring: str) -> dict[str, str]:
    """Return the first sentence on each argument or attribute that a docstring lists."""
    items = re.findall(
        r"^ *(?:- )?`?(\w+)`?: (.+?)(?=\n *(?:- )?`?\w+`?: |\n\n|\Z)", docstring, re.M | re.S
    )
    return {name: _sentence(text) for name, text in items}


def _sentence(text: str) -> str:
    """Return the first sentence of a text, with a capital."""
    sentence = " ".join(text.split()).partition(". ")[0].rstrip(".") + "."
    return sentence[0].upper() + sentence[1:]


def _assigned(node: ast.stmt) -> list[str]:
    """Return the names that a statement assigns, or exports from another module."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.ImportFrom):
        return [alias.name for alias in node.names if alias.asname == alias.name]
    return []


@functools.cache
def _documented_at() -> dict[int, str]:
    """Return the path at which each object is documented, by the object's `id`.

    Of several paths, it is the one in the package that defines the object, then the shortest.
    """
    best: dict[int, tuple[Any, ...]] = {}
    for module in public_modules():
        for path, value, _ in entries(module):
            if isinstance(value, ModuleType) or not _has_docstring(value):
                continue
            home = (getattr(value, "__module__", "") or "").split(".")
            rank = (
                home[:2] != path.split(".")[:2],
                value.__name__ != path.rpartition(".")[2],
                path.count("."),
                path,
            )
            best[id(value)] = min(rank, best.get(id(value), rank))
    return {key: rank[-1] for key, rank in best.items()}


def page_of(module_name: str) -> str:
    """Return the file of a module's page, in the folder of the docs."""
    return "reference/" + (module_name.removeprefix("fjax.").replace(".", "/")) + ".md"


def pages() -> dict[str, str]:
    """Return the text of each page of the reference by its file, in Markdown."""
    return {page_of(name): _page(name) for name in public_modules()}


def overview() -> str:
    """Return the first page of the reference: the table of all modules."""
    lines = ["# Reference", _INTRODUCTION, "| module | what it has |\n|---|---|"]
    for name, module in public_modules().items():
        lines[-1] += f"\n| [`{name}`]({page_of(name)}) | {_cell(_line(name, module))} |"
    return "\n\n".join(lines) + "\n"


def _page(name: str) -> str:
    """Return the page of a module: its docstring, the table of its names, and their docstrings."""
    depth = "../" * page_of(name).count("/")
    listed = entries(name)
    parts = [
        f"# {name}",
        f"::: {name}\n    options:\n      members: false\n      show_root_heading: false",
    ]
    lines = ["| name | what it is |", "|---|---|"]
    lines += [f"| {_link(entry, name, depth)} | {_cell(entry.line)} |" for entry in listed]
    parts.append("\n".join(lines))
    for entry in listed:
        if _documented_at().get(id(entry.value)) == entry.path:
            options = "\n    options:\n      inherited_members: true"
            parts.append(f"::: {entry.path}{options if entry.path in WITH_INHERITED else ''}")
        if entry.path in WITH_INHERITED:
            parts.append(_table_of_attributes(entry.value))
    return "\n\n".join(parts) + "\n"


def _table_of_attributes(owner: type) -> str:
    listed = attributes(owner)
    lines = [f"| attribute of `{owner.__name__}` | what it is |", "|---|---|"]
    lines += [f"| `{entry.name}` | {_cell(entry.line)} |" for entry in listed]
    return "\n".join(lines) if listed else ""


def _link(entry: Entry, module: str, depth: str) -> str:
    """Return a name as a link to where it is documented."""
    if isinstance(entry.value, ModuleType):
        return f"[`{entry.name}`]({depth}{page_of(entry.path)})"
    target = _documented_at().get(id(entry.value))
    if target is None:
        return f"`{entry.name}`"
    owner = target.rpartition(".")[0]
    page = "" if owner == module else depth + page_of(owner)
    return f"[`{entry.name}`]({page}#{target})"


def _cell(line: str) -> str:
    return line.replace("|", "\\|")
