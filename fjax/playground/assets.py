"""The files of the page: its script is joined from parts, which share one module."""

import functools
import json

from fjax.playground.messages import LANGUAGES, STATIC, read_texts

# In this order they are one module of JavaScript; a part uses names of those before it.
PARTS = ("dom", "client", "drawing", "network", "output", "controls", "tour", "app", "start")


@functools.cache
def script() -> str:
    """Return the module of the page, which is also that of the widget."""
    texts = json.dumps({language: read_texts(language) for language in LANGUAGES})
    parts = [(STATIC / f"{part}.js").read_text("utf-8") for part in PARTS]
    return "\n".join([f"const TEXTS = {texts};", *parts])


@functools.cache
def styles() -> str:
    """Return the style sheet."""
    return (STATIC / "playground.css").read_text("utf-8")


@functools.cache
def files() -> dict[str, tuple[str, bytes]]:
    """Return the content type and the bytes of each file that the server has, by name.

    >>> sorted(files())
    ['', 'page.js', 'playground.css', 'playground.js']
    """
    page, starter = ((STATIC / name).read_bytes() for name in ("index.html", "page.js"))
    return {
        "": ("text/html; charset=utf-8", page),
        "page.js": ("text/javascript; charset=utf-8", starter),
        "playground.js": ("text/javascript; charset=utf-8", script().encode()),
        "playground.css": ("text/css; charset=utf-8", styles().encode()),
    }
