"""`RemoteMonitor`: what a server on this machine receives, compared with Keras."""

import http.server
import json
import threading
import urllib.parse

import keras
import numpy as np
import pytest

import fjax
from fjax.callbacks import RemoteMonitor


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.received.append((self.path, dict(self.headers), content))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    server.received, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def address(server):
    return f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize("send_as_json", [False, True])
def test_a_run_sends_its_epochs(data, make_model, server, send_as_json):
    monitor = RemoteMonitor(
        address(server), path="/logs/", field="run", headers={"X-Token": "abc"},
        send_as_json=send_as_json,
    )  # fmt: skip
    history = make_model().fit(*data, epochs=2, verbose=0, callbacks=monitor).history
    assert len(server.received) == 2
    for epoch, (path, headers, content) in enumerate(server.received):
        if not send_as_json:
            (content,) = urllib.parse.parse_qs(content, strict_parsing=True)["run"]
        kind = "json" if send_as_json else "x-www-form-urlencoded"
        assert path == "/logs/"
        assert headers["Content-Type"] == f"application/{kind}"
        assert headers["X-Token"] == "abc"
        expected = {name: values[epoch] for name, values in history.items()}
        assert json.loads(content) == {"epoch": epoch, **expected}


@pytest.mark.parametrize("send_as_json", [False, True])
def test_the_request_is_that_of_keras(server, send_as_json):
    pytest.importorskip("requests")
    logs = {"loss": np.float32(0.5), "accuracy": 0.25}
    for home in (keras, fjax):
        monitor = home.callbacks.RemoteMonitor(address(server), send_as_json=send_as_json)
        monitor.on_epoch_end(3, logs)
    (path, headers, content), ours = server.received
    assert (path, headers["Content-Type"], content) == (ours[0], ours[1]["Content-Type"], ours[2])


def test_a_server_that_fails_is_a_warning(server):
    server.status = 500
    with pytest.warns(UserWarning, match=r"could not send epoch 1 to http.*/publish.* 500"):
        RemoteMonitor(address(server)).on_epoch_end(1, {"loss": 0.5})
    closed = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    closed.server_close()
    with pytest.warns(UserWarning, match="could not send epoch 0 to"):
        RemoteMonitor(address(closed)).on_epoch_end(0, {"f1": np.ones(2)})


def test_only_servers_are_addresses():
    with pytest.raises(ValueError, match=r"must begin with .*received 'file:///etc'"):
        RemoteMonitor("file:///etc")
