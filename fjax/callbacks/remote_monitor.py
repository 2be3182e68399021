"""Send the logs of each epoch to a server."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from fjax.callbacks.callback import Callback, Logs
from fjax.errors import explain_keywords, one_of, warn_user

TIMEOUT_SECONDS = 30.0


class RemoteMonitor(Callback):
    """Send the logs of each epoch to a server, by a POST request of HTTP.

    The request has the number of the epoch, from 0, and all logs as JSON: in a field of a form, or
    as its whole content. A server that cannot be reached, or answers with an error, is a warning,
    and the training goes on.

    Args:
        root: The address of the server, which begins with "http://" or "https://".
        path: The path of the page that receives the logs.
        field: The field of the form.
        headers: More headers of the request, by name.
        send_as_json: Whether the content is JSON; otherwise it is a form.

    Raises:
        ValueError: `root` is not the address of a server, or `send_as_json` is not a bool.

    Source: Keras's page "RemoteMonitor".

    >>> RemoteMonitor("localhost:9000")
    Traceback (most recent call last):
        ...
    ValueError: `RemoteMonitor`: `root` must begin with "http://" or "https://", received
    'localhost:9000'.
    """

    _added_logs = ()
    only_first_process = True

    @explain_keywords
    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(root, str) or not root.startswith(("http://", "https://")):
            raise ValueError(
                '`RemoteMonitor`: `root` must begin with "http://" or "https://", received '
                f"{root!r}."
            )
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = one_of("RemoteMonitor", "send_as_json", send_as_json, [False, True])

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Send the epoch's logs."""
        import urllib.parse
        import urllib.request

        text = json.dumps({"epoch": epoch, **{k: _plain(v) for k, v in (logs or {}).items()}})
        kind = "json" if self.send_as_json else "x-www-form-urlencoded"
        content = text if self.send_as_json else urllib.parse.urlencode({self.field: text})
        headers = {"Content-Type": f"application/{kind}", **(self.headers or {})}
        address = self.root + self.path
        request = urllib.request.Request(address, content.encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
                pass
        except OSError as error:
            warn_user(f"`RemoteMonitor` could not send epoch {epoch} to {address}: {error}.")


def _plain(value: Any) -> Any:
    """Return a log as JSON has it: a number, or a list of them."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
