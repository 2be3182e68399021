"""The playground: a page, or a widget, on which small networks learn before your eyes.

    python -m fjax.playground

`Playground` needs the extra `notebook`; it is imported when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from fjax.errors import import_extra
from fjax.playground.features import make_features
from fjax.playground.messages import PlaygroundError
from fjax.playground.points import load_data, split
from fjax.playground.server import PlaygroundServer
from fjax.playground.session import Session
from fjax.playground.settings import Settings

if TYPE_CHECKING:
    from fjax.playground.widget import Playground

__all__ = [
    "Playground",
    "PlaygroundError",
    "PlaygroundServer",
    "Session",
    "Settings",
    "load_data",
    "make_features",
    "split",
]


def __getattr__(name: str) -> Any:
    if name != "Playground":
        raise AttributeError(f"module 'fjax.playground' has no attribute {name!r}")
    import_extra("fjax.playground.Playground", "anywidget", "anywidget", "notebook")
    return importlib.import_module("fjax.playground.widget").Playground
