"""The dashboard: a guarded page that shows the runs of a folder."""

import json
import math
import os
from pathlib import Path
from typing import Any, Self

from fjax.dashboard.events import join_parts
from fjax.dashboard.folder import find_runs
from fjax.dashboard.run import Run
from fjax.errors import explain_keywords
from fjax.loopback import LoopbackServer, Request, Response, package_file

# The files of the page, by their addresses.
PAGES = {"": "page.html", "page.css": "page.css", "page.js": "page.js", "chart.js": "chart.js"}


class Dashboard:
    """A page with the runs of a folder, side by side, for the browsers of this machine.

    It reads CSV files of `CSVLogger`, folders of `fit(resume=…)`, event files of `TensorBoard`, and
    `result.json` beside them, in the folder and in all folders within it, while runs are written.
    It writes nothing, and opens no file outside of the folder: it does not follow links.

    Args:
        folder: The folder.
        port: The port of the page, or None for a free one.

    Attributes:
        url: The address of the page, with its secret token.

    Raises:
        NotADirectoryError: `folder` is not a folder.
        OSError: The port is in use.

    >>> import tempfile
    >>> with Dashboard(tempfile.mkdtemp()) as dashboard:
    ...     print(dashboard.url.startswith("http://127.0.0.1:"))
    True
    """

    @explain_keywords
    def __init__(self, folder: str | os.PathLike[str], port: int | None = None) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise NotADirectoryError(
                f"{str(folder)!r} is not a folder: give the folder in which the runs are."
            )
        # The walk begins at a folder, not at a link to one.
        self._top = self.folder.resolve()
        self._known: dict[tuple[str, str], Run] = {}
        self._server = LoopbackServer(self._respond, port)
        self.url = self._server.url

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def start(self) -> None:
        """Serve the page in the background, as in a notebook."""
        self._server.start()

    def close(self) -> None:
        """End a page that `start` began."""
        self._server.close()

    def serve_until_interrupted(self) -> None:
        """Serve the page until Ctrl-C."""
        self._server.serve_until_interrupted()

    def _respond(self, request: Request) -> Response:
        if request.method != "GET":
            return Response(b"This page only reads.", status=405)
        if request.path in PAGES:
            return package_file("fjax.dashboard", PAGES[request.path])
        if request.path == "runs":
            return self._runs()
        return Response(b"There is no such page.", status=404)

    def _runs(self) -> Response:
        """Return all runs with their curves as JSON, or a sentence about what is wrong."""
        try:
            listing = find_runs(self._top, self._known)
        except OSError as error:
            problem = f"The folder cannot be read: {error.strerror}."
            return _json({"folder": str(self.folder), "runs": [], "notes": [problem]})
        self._known = {(run.kind, run.name): run for run in listing.runs}
        runs = [run.document() for run in join_parts(listing.runs)]
        return _json({"folder": str(self.folder), "runs": runs, "notes": listing.notes})


def _json(document: Any) -> Response:
    return Response(json.dumps(_finite(document), allow_nan=False).encode(), "json")


def _finite(value: Any) -> Any:
    """Return plain data with None for numbers that JSON cannot hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
