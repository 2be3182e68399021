"""The server of the page: on this computer only, and only for who knows its token."""

import hmac
import json
import secrets
import threading
import time
from collections import OrderedDict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fjax.errors import integer_at_least
from fjax.playground.assets import files
from fjax.playground.requests import Answer, Requests, pack

HOST = "127.0.0.1"

# The largest request in bytes, the most pages with a run, and the seconds for which a page counts
# as training after its last request.
MOST_BYTES, MOST_PAGES, ACTIVE_SECONDS = 2**20, 8, 3.0

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Pages:
    """The runs of the pages that are open; each page has its own.

    A closed page asks for nothing, so its run only takes memory, until another page needs the
    place.

    >>> pages = Pages()
    >>> pages.answer({"page": "a", "kind": "start", "settings": {}})[0]["pages"]
    1
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: OrderedDict[str, Requests] = OrderedDict()
        self._trained: dict[str, float] = {}

    def answer(self, request: Any) -> Answer:
        """Return the answer to a request, with the number of pages that are training now."""
        content = dict(request) if isinstance(request, dict) else {}
        page = str(content.pop("page", ""))[:64]
        header, body = self._run_of(page).answer(content)
        with self._lock:
            now = time.monotonic()
            if content.get("kind") == "advance":
                self._trained[page] = now
            is_active = {page for page, at in self._trained.items() if now - at < ACTIVE_SECONDS}
            self._trained = {page: self._trained[page] for page in is_active}
            return {**header, "pages": len(is_active | {page})}, body

    def warm_up(self) -> None:
        """Compile the programs of the network that a page shows first."""
        first = Requests()
        first.answer({"kind": "start", "settings": {}})
        first.answer({"kind": "prepare"})

    def _run_of(self, page: str) -> Requests:
        with self._lock:
            if page not in self._runs:
                while len(self._runs) >= MOST_PAGES:
                    self._runs.popitem(last=False)
                self._runs[page] = Requests()
            self._runs.move_to_end(page)
            return self._runs[page]


class PlaygroundServer(ThreadingHTTPServer):
    """The server of the page.

    It listens on the loopback interface only. It answers requests whose address has the token,
    whose `Host` is its own, and which no page of another origin has sent.

    Args:
        port: The port; 0 is any free one.

    Raises:
        OSError: The port is in use.

    >>> server = PlaygroundServer()
    >>> server.address.startswith("http://127.0.0.1:")
    True
    >>> server.server_close()
    """

    daemon_threads = True
    # A second server on the same port is an error on every system.
    allow_reuse_address = False

    def __init__(self, port: int = 0) -> None:
        integer_at_least("PlaygroundServer", "port", port, 0)
        self.token = secrets.token_urlsafe(24)
        self.pages = Pages()
        super().__init__((HOST, port), _Handler)

    @property
    def address(self) -> str:
        """The address of the page, with its token."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    def knows(self, host: str | None, origin: str | None, token: str) -> bool:
        """Return whether a request with these headers, and this token in its path, is answered."""
        hosts = {f"{name}:{self.server_port}" for name in (HOST, "localhost")}
        if host not in hosts or origin not in (None, f"http://{host}"):
            return False
        return hmac.compare_digest(token.encode(), self.token.encode())


class _Handler(BaseHTTPRequestHandler):
    """Answers one request after another of a connection."""

    server: PlaygroundServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "fjax", ""
    timeout = 60
    # An answer is sent at once, not when a packet is full.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        """Send a file of the page."""
        name = self._checked_name()
        if name is None:
            return
        if name not in files():
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        kind, content = files()[name]
        self._send(kind, content)

    def do_POST(self) -> None:
        """Answer a request of the page."""
        name = self._checked_name()
        if name is None:
            return
        length = self.headers.get("Content-Length", "")
        if name != "ask" or self.headers.get_content_type() != "application/json":
            self._refuse(HTTPStatus.NOT_FOUND)
        elif not length.isdecimal():
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
        elif int(length) > MOST_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            try:
                request = json.loads(self.rfile.read(int(length)))
            except (ValueError, RecursionError):
                self._refuse(HTTPStatus.BAD_REQUEST)
                return
            self._send("application/octet-stream", pack(self.server.pages.answer(request)))

    def _checked_name(self) -> str | None:
        """Return what follows the token in the path; None if the request was refused."""
        token, slash, name = self.path.removeprefix("/").partition("/")
        headers = self.headers
        if not slash or not self.server.knows(headers.get("Host"), headers.get("Origin"), token):
            self._refuse(HTTPStatus.FORBIDDEN)
            return None
        if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            self._refuse(HTTPStatus.FORBIDDEN)
            return None
        return name

    def _refuse(self, status: HTTPStatus) -> None:
        # What the request still sends is not read.
        self.close_connection = True
        self._send("text/plain; charset=utf-8", f"{status.phrase}\n".encode(), status)

    def _send(self, kind: str, content: bytes, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the address has the token."""
