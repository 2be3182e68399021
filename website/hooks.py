"""Hooks of MkDocs: pages that are made of the package and the examples, figures, translations."""

import logging
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parents[1]))

from website import reference

log = logging.getLogger("mkdocs.hooks")

# The pages that are made, by their files; they are in English alone.
_made: dict[str, File] = {}
ENGLISH_ONLY = ("reference/",)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replace each folder in the navigation by its pages."""
    if not _made:
        for uri, text in reference.pages().items():
            _made[uri] = File.generated(config, uri, content=text)
    config.nav = _expand(config.nav, sorted(_made))
    return config


def _expand(items: Any, uris: list[str]) -> Any:
    if isinstance(items, dict):
        return {title: _expand(value, uris) for title, value in items.items()}
    if isinstance(items, list):
        result = []
        for item in items:
            expanded = _expand(item, uris)
            result += expanded if isinstance(item, str) and item.endswith("/") else [expanded]
        return result
    if items.endswith("/"):
        return [uri for uri in uris if uri.startswith(items)]
    return items


@event_priority(-200)  # after the pages of the language have been chosen
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made; in other languages than English, links lead to them."""
    language = config.plugins["i18n"].current_language
    for file in _made.values():
        if language != "en":
            file.inclusion = InclusionLevel.EXCLUDED
        files.append(file)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Insert what is made of the package, and give translated headings the English anchors."""
    if page.file.src_uri == "reference.md":
        return reference.overview()
    return markdown
