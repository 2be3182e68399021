"""Hooks of MkDocs: pages that are made of the package and the examples, figures, translations."""

import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parents[1]))

from website import gallery, reference
from website.figures import insert_figures, make_all
from website.markdown import DOCS, translate_anchors
from website.translations import english_pages, is_translation, original

# What is made for the site, by file: pages, which are in English alone, and figures.
_made: dict[str, File] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replace each folder in the navigation by its pages."""
    if not _made:
        for uri, text in (reference.pages() | gallery.pages()).items():
            _made[uri] = File.generated(config, uri, content=text)
        for page, folder in make_all():
            for picture in folder.glob("*.png"):
                uri = f"{_figures_of(page)}/{picture.name}"
                _made[uri] = File.generated(config, uri, content=picture.read_bytes())
    written = [
        page.relative_to(DOCS).as_posix() for page in english_pages() if DOCS in page.parents
    ]
    config.nav = _expand(config.nav, sorted([*_made, *written]))
    return config


def _expand(items: Any, uris: list[str]) -> Any:
    """Return a part of the navigation without folders; a section without pages is left out."""
    if isinstance(items, str):
        is_folder = items.endswith("/")
        pages = [uri for uri in uris if uri.startswith(items) and uri.endswith(".md")]
        return pages if is_folder else items
    if isinstance(items, dict):
        expanded = {title: _expand(value, uris) for title, value in items.items()}
        return {title: value for title, value in expanded.items() if value}
    result = []
    for item in items:
        expanded = _expand(item, uris)
        result += expanded if isinstance(expanded, list) else [expanded] if expanded else []
    return result


@event_priority(-200)  # after the pages of the language have been chosen
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is made; the pages in other languages have links to the same files."""
    is_english = config.plugins["i18n"].current_language == "en"
    for file in _made.values():
        file.inclusion = InclusionLevel.INCLUDED if is_english else InclusionLevel.EXCLUDED
        if is_english:
            file.page = None
        files.append(file)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Insert what is made, and give translated headings the anchors of the English ones."""
    if page.file.src_uri == "reference.md":
        return reference.overview()
    if page.file.generated_by is not None:
        return markdown
    path = DOCS / page.file.src_uri
    english = original(path) if is_translation(path) else path
    if english != path:
        markdown = translate_anchors(markdown, english.read_text("utf-8"))
    depth = "../" * page.file.src_uri.count("/")
    return insert_figures(markdown, depth + _figures_of(english))


def _figures_of(page: Path) -> str:
    """Return the folder of the figures of a page, in the folder of the docs."""
    return f"figures/{page.relative_to(DOCS).with_suffix('').as_posix()}"
