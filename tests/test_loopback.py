"""The guarded server of the pages on this machine."""

import contextlib
import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest

from fjax.loopback import MAX_BODY, LoopbackServer, Response


def echo(request):
    if request.path == "fail":
        raise RuntimeError("no such thing")
    document = {**request._asdict(), "body": request.body.decode()}
    return Response(json.dumps(document).encode(), "json")


@pytest.fixture(scope="module")
def server():
    with LoopbackServer(echo) as server:
        yield server


def ask(server, path=None, method="GET", body=None, **headers):
    """Return the status, headers and text that the server answers."""
    path = urlsplit(server.url).path if path is None else path
    if body:
        headers["Content-Length"] = str(len(body))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    with contextlib.closing(connection):
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body)
        with connection.getresponse() as answer:
            return answer.status, dict(answer.getheaders()), answer.read().decode()


def test_a_request_with_the_token_arrives_decoded(server):
    path = urlsplit(server.url).path + "run/a%20b?name=%C3%BC&empty="
    status, headers, text = ask(server, path)
    assert status == 200 and headers["Content-Type"].startswith("application/json")
    assert json.loads(text) == {
        "method": "GET", "path": "run/a b", "query": {"name": "ü", "empty": ""}, "body": "",
    }  # fmt: skip


def test_a_post_brings_its_body(server):
    status, _, text = ask(server, method="POST", body=b"12 rows")
    assert status == 200 and json.loads(text)["body"] == "12 rows"


def test_the_token_is_long_and_new_for_each_server(server):
    with LoopbackServer(echo) as other:
        tokens = {urlsplit(each.url).path.strip("/") for each in (server, other)}
    assert len(tokens) == 2 and all(len(token) >= 32 for token in tokens)


@pytest.mark.parametrize("path", ["/", "/x/", "/%C3%BC/", "//", "/index.html", "*"])
def test_without_the_token_nothing_is_answered(server, path):
    status, _, text = ask(server, path)
    assert status == 403 and "token" in text


def test_a_token_that_only_begins_right_is_wrong(server):
    path = urlsplit(server.url).path
    assert ask(server, path[:-2] + "/")[0] == 403
    assert ask(server, path[:-1] + "x/")[0] == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "[::1]:{port}"]
)
def test_another_host_is_refused(server, host):
    # A page whose name resolves to this machine (DNS rebinding) has its own name as host.
    status, _, text = ask(server, Host=host.format(port=server.port))
    assert status == 403 and "only its own page" in text


def test_localhost_is_this_machine(server):
    assert ask(server, Host=f"localhost:{server.port}")[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", ""])
def test_another_origin_is_refused(server, origin):
    assert ask(server, method="POST", body=b"x", Origin=origin.format(port=server.port))[0] == 403


def test_its_own_origin_is_accepted(server):
    origin = f"http://127.0.0.1:{server.port}"
    assert ask(server, method="POST", body=b"x", Origin=origin)[0] == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(server, method):
    assert ask(server, method=method)[0] == 501


def test_a_body_that_is_too_long_is_refused_unread(server):
    assert ask(server, method="POST", Content_Length=str(MAX_BODY + 1))[0] == 413


@pytest.mark.parametrize("length", ["-1", "many", "1e3"])
def test_a_body_of_unknown_length_is_refused(server, length):
    assert ask(server, method="POST", Content_Length=length)[0] == 411


def test_the_address_without_its_last_slash_leads_to_the_page(server):
    path = urlsplit(server.url).path
    status, headers, _ = ask(server, path[:-1])
    assert (status, headers["Location"]) == (308, path)


def test_an_error_is_reported_to_page_and_terminal(server, capfd):
    status, _, text = ask(server, urlsplit(server.url).path + "fail")
    assert status == 500 and text == "The server failed: RuntimeError: no such thing"
    assert "Traceback" in capfd.readouterr().err


def test_pages_load_nothing_from_elsewhere(server):
    _, headers, _ = ask(server)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert not any(name.startswith("Access-Control") for name in headers)


def test_a_port_in_use_is_one_sentence(server):
    with pytest.raises(OSError, match=rf"Port {server.port} is in use: give another port"):
        LoopbackServer(echo, port=server.port)


def test_a_closed_server_frees_its_port():
    with LoopbackServer(echo) as server:
        pass
    with LoopbackServer(echo, port=server.port) as again:
        assert ask(again)[0] == 200


def test_a_client_that_leaves_does_no_harm(server, capfd):
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost:")
    assert ask(server)[0] == 200 and not capfd.readouterr().err
