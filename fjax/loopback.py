"""A small HTTP server for pages on this machine: guarded by a token, and closed to other pages."""

import errno
import functools
import hmac
import importlib.resources
import secrets
import threading
import traceback
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, unquote, urlsplit

ADDRESS = "127.0.0.1"

# The longest body of a request, in bytes, and the longest silence of a client, in seconds.
MAX_BODY = 2**20
TIMEOUT = 20

TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "json": "application/json; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
}

# A page may load its own files and nothing else, and no other page may show it in a frame.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Request(NamedTuple):
    """A request that has passed the checks of the server.

    Attributes:
        method: "GET" or "POST".
        path: The decoded path behind the token, without a leading slash; "" for the page itself.
        query: The decoded parameters of the address.
        body: The body of a POST, at most `MAX_BODY` bytes.
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes


class Response(NamedTuple):
    """The answer to a request.

    Attributes:
        body: Its bytes.
        kind: A key of `TYPES`: "html", "json", "txt", ….
        status: The HTTP status.
    """

    body: bytes
    kind: str = "txt"
    status: int = 200


class LoopbackServer:
    """Serve pages to the browsers of this machine, at an address that contains a secret token.

    The server listens on the loopback interface alone. It answers a request only if its path begins
    with the token and if its `Host`, and its `Origin` if it has one, are this server: no other page
    in the same browser can read from it, write to it or show it in a frame. The page refers to its
    own files by relative addresses, which contain the token by themselves.

    Args:
        respond: Called with each request, in a thread of its own.
        port: The port, or None for a free one.

    Attributes:
        port: The port.
        url: The address of the page, with the token.

    Raises:
        OSError: The port is in use, or only an administrator may use it.

    >>> from urllib.request import urlopen
    >>> with LoopbackServer(lambda request: Response(f"page {request.path!r}".encode())) as server:
    ...     print(urlopen(server.url + "curves").read().decode())
    page 'curves'
    """

    def __init__(self, respond: Callable[[Request], Response], port: int | None = None) -> None:
        self._token = secrets.token_urlsafe(24)
        handler = functools.partial(_Handler, respond, self._token)
        try:
            self._server = ThreadingHTTPServer((ADDRESS, port or 0), handler)
        except OSError as error:
            raise OSError(error.errno, _port_problem(port, error)) from None
        self._server.daemon_threads = True
        self.port: int = self._server.server_port
        self.url = f"http://{ADDRESS}:{self.port}/{self._token}/"
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def start(self) -> None:
        """Serve in a background thread, which ends with the process."""
        self._thread = threading.Thread(target=self._serve, name="fjax-loopback", daemon=True)
        self._thread.start()

    def serve_until_interrupted(self) -> None:
        """Serve in this thread until Ctrl-C, then close the server."""
        try:
            self._serve()
        except KeyboardInterrupt:
            pass
        finally:
            self._server.server_close()

    def close(self) -> None:
        """Stop a server that `start` has started, and free the port."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.1)


@functools.cache
def package_file(package: str, name: str) -> Response:
    """Return a file of a package, such as `page.css`, as a response.

    Args:
        package: The dotted name of the package.
        name: The file's name, whose suffix is a key of `TYPES`.
    """
    body = importlib.resources.files(package).joinpath(name).read_bytes()
    return Response(body, name.rpartition(".")[2])


class _Handler(BaseHTTPRequestHandler):
    """One connection: checks each request and passes it on."""

    protocol_version = "HTTP/1.1"
    server_version = "fjax"
    sys_version = ""
    timeout = TIMEOUT

    def __init__(
        self, respond: Callable[[Request], Response], token: str, *connection: Any
    ) -> None:
        self._respond = respond
        self._token = token
        super().__init__(*connection)

    def do_GET(self) -> None:
        """Answer a GET request."""
        self._answer("GET")

    def do_POST(self) -> None:
        """Answer a POST request."""
        self._answer("POST")

    def log_message(self, format: str, *args: Any) -> None:
        """Write no line for each request."""

    def handle(self) -> None:
        """Answer the requests of the connection, until the browser leaves."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _answer(self, method: str) -> None:
        address = urlsplit(self.path)
        token, slash, path = address.path.removeprefix("/").partition("/")
        problem = self._problem(token)
        if problem is not None:
            # The body is not read, so the connection cannot be used again.
            self.close_connection = True
            return self._send(problem)
        if not slash:
            return self._send(Response(b"", status=308), {"Location": f"/{token}/"})
        body = self.rfile.read(self._length()) if method == "POST" else b""
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        try:
            response = self._respond(Request(method, unquote(path), query, body))
        except Exception as error:
            traceback.print_exc()
            text = f"The server failed: {type(error).__name__}: {error}"
            response = Response(text.encode(), status=500)
        return self._send(response)

    def _problem(self, token: str) -> Response | None:
        """Return the refusal of a request that does not come from this server's own page."""
        port = self.connection.getsockname()[1]
        own = {f"{ADDRESS}:{port}", f"localhost:{port}"}
        hosts = self.headers.get_all("Host", [])
        origins = self.headers.get_all("Origin", [])
        if (
            len(hosts) != 1
            or hosts[0] not in own
            or any(o != f"http://{hosts[0]}" for o in origins)
        ):
            return Response(b"This server answers only its own page on this machine.", status=403)
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            text = b"The token is missing or wrong: open the address that the program printed."
            return Response(text, status=403)
        length = self._length()
        if length is None or "Transfer-Encoding" in self.headers:
            return Response(b"The length of the request is unknown.", status=411)
        if length > MAX_BODY:
            return Response(b"The request is too long.", status=413)
        return None

    def _length(self) -> int | None:
        """Return the length of the body in bytes, or None if the header is invalid."""
        text = self.headers.get("Content-Length", "0")
        return int(text) if text.isascii() and text.isdigit() else None

    def _send(self, response: Response, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(response.status)
        for name, value in {**HEADERS, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", TYPES[response.kind])
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(response.body)


def _port_problem(port: int | None, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use: give another port, or none to take a free one."
    if error.errno == errno.EACCES:
        return f"Port {port} needs an administrator: give a port from 1024 to 65535."
    return f"The server cannot listen on port {port}: {error.strerror}."
