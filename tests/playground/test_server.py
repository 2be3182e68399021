"""The server: what it answers, and to whom."""

import http.client
import json
import re
import sys
import threading
from contextlib import contextmanager

import pytest

from fjax.playground import PlaygroundServer
from fjax.playground.__main__ import main
from fjax.playground.server import MOST_BYTES, MOST_PAGES, Pages


@contextmanager
def running():
    """A server in a thread."""
    server = PlaygroundServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def server():
    with running() as each:
        yield each


def send(server, method="GET", name="", token=None, body=None, **headers):
    """The status, the headers and the content of an answer; None leaves a header out."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    given = {"Host": f"127.0.0.1:{server.server_port}", "Content-Type": "application/json"}
    given |= {key.replace("_", "-"): value for key, value in headers.items()}
    path = f"/{server.token if token is None else token}/{name}"
    connection.putrequest(method, path, skip_host=True)
    if body is not None:
        given.setdefault("Content-Length", str(len(body)))
    for key, value in given.items():
        if value is not None:
            connection.putheader(key, value)
    connection.endheaders(body)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, response.headers, content


def test_the_page_and_its_files(server):
    status, headers, content = send(server)
    assert status == 200 and b"page.js" in content
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store" and headers["Referrer-Policy"] == "no-referrer"
    assert send(server, name="playground.js")[0] == 200
    assert send(server, name="playground.css")[1]["Content-Type"].startswith("text/css")
    for name in ("session.py", "../session.py", "static/app.js", "text.en.json", ".."):
        assert send(server, name=name)[0] == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "x" * 32},
        {"token": ""},
        {"token": "../"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Host": None},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
def test_others_are_refused(server, wrong):
    for method, body in (("GET", None), ("POST", b'{"kind": "start", "settings": {}}')):
        status, headers, content = send(server, method, "ask" if body else "", body=body, **wrong)
        assert status == 403 and server.token.encode() not in content
        assert "Access-Control-Allow-Origin" not in headers


def test_the_own_origin_is_answered(server):
    body = b'{"kind": "advance"}'
    for host in ("127.0.0.1", "localhost"):
        here = f"{host}:{server.server_port}"
        status, _, content = send(server, "POST", "ask", body=body, Host=here, Origin=f"http://{here}",
                                  Sec_Fetch_Site="same-origin")  # fmt: skip
        assert status == 200 and b"no_session" in content


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (400, b"{", {}),
        (400, b"\xff\xfe", {}),
        (400, b"[" * 100000, {}),
        (404, b"{}", {"Content_Type": "text/plain"}),
        (404, b"kind=start", {"Content_Type": "application/x-www-form-urlencoded"}),
        (411, b"", {"Content_Length": None}),
        (411, b"", {"Content_Length": "-5"}),
        (413, b"", {"Content_Length": str(MOST_BYTES + 1)}),
    ],
)
def test_wrong_bodies_are_refused(server, status, body, headers):
    assert send(server, "POST", "ask", body=body, **headers)[0] == status


@pytest.mark.parametrize(
    "body", [b"[]", b"3", b"null", b'{"kind": {}}', b'{"page": [], "kind": "x"}']
)
def test_other_json_is_one_sentence(server, body):
    status, _, content = send(server, "POST", "ask", body=body)
    length = int.from_bytes(content[:4], "little")
    assert status == 200 and json.loads(content[4 : 4 + length])["error"]["code"] == "request"


def test_each_page_has_its_run_and_the_oldest_one_makes_room():
    pages = Pages()
    start = {"kind": "start", "settings": {"hidden": []}}
    assert pages.answer({**start, "page": "first"})[0]["pages"] == 1
    assert pages.answer({"kind": "advance", "page": "first"})[0]["epoch"] == 1
    # A second page begins anew, and both are told that they share the computer.
    header, _ = pages.answer({**start, "page": "second"})
    assert (header["epoch"], header["pages"]) == (0, 2)
    for number in range(MOST_PAGES):
        pages.answer({"kind": "code", "page": str(number)})
    assert pages.answer({"kind": "advance", "page": "first"})[0]["error"]["code"] == "no_session"


@pytest.mark.parametrize(
    ("port", "reason"),
    [(None, "is in use: .*"), ("70000", "cannot be used: .*"), ("-1", "cannot .*")],
)
def test_a_port_that_cannot_be_used_is_one_sentence(server, port, reason, monkeypatch, capsys):
    port = port or str(server.server_port)
    monkeypatch.setattr(sys, "argv", ["playground", "--no-browser", f"--port={port}"])
    assert main() == 2
    printed = capsys.readouterr()
    assert not printed.out and re.fullmatch(rf"Port {port} {reason}\n", printed.err)


def test_tokens_differ_and_only_this_computer_is_served(server):
    with running() as other:
        assert other.token != server.token and len(other.token) >= 32
        assert other.server_address[0] == "127.0.0.1"
