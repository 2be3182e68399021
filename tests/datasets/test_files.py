import ast
import hashlib
import http.server
import threading
from pathlib import Path

import numpy as np
import pytest

import fjax.datasets
from fjax.datasets.files import Download, cache_folder, download, find, read_arrays, write

CONTENT = b"0123456789" * 500


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/file")
            self.end_headers()
        elif self.path == "/file":
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[:100])
        else:
            self.send_error(404)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _source(server, name="/file", size=5000, content=CONTENT):
    return Download(server + name, hashlib.sha256(content).hexdigest(), size)


def test_download(server):
    assert download(_source(server), schemes=("http",)) == CONTENT


def test_download_refuses_http_by_default(server):
    with pytest.raises(ValueError, match="does not have the scheme https"):
        download(_source(server))


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://host/file", "file"])
def test_download_refuses_other_schemes(url):
    with pytest.raises(ValueError, match="does not have the scheme https"):
        download(Download(url, "", 1))


def test_download_refuses_other_content(server):
    with pytest.raises(ValueError, match=r"has the sha256 checksum .*, expected"):
        download(_source(server, content=b"other"), schemes=("http",))


def test_download_refuses_longer_content(server):
    with pytest.raises(ValueError, match="longer than the expected 4999 bytes"):
        download(_source(server, size=len(CONTENT) - 1), schemes=("http",))


def test_download_follows_no_redirects(server):
    with pytest.raises(OSError, match=r"/moved: .*302"):
        download(_source(server, "/moved"), schemes=("http",))


def test_download_of_missing_file(server):
    with pytest.raises(OSError, match=r"/nothing: .*404"):
        download(_source(server, "/nothing"), schemes=("http",))


def test_download_with_broken_connection(server):
    with pytest.raises((OSError, ValueError)):
        download(_source(server, "/short"), schemes=("http",))


def test_find_prefers_folder_of_user_to_cache(folders):
    data, cache = folders
    cache.mkdir()
    (cache / "file").write_text("cached")
    assert find("file") == cache / "file"
    (data / "file").write_text("mine")
    assert find("file") == data / "file"
    assert find(str(cache / "file")) == cache / "file"


def test_find_fetches_once(folders, server):
    fetched = []

    def fetch(path):
        fetched.append(path)
        content = download(_source(server), schemes=("http",))
        write(path, lambda file: file.write(content))

    assert find("file", fetch) == find("file", fetch) == folders[1] / "file"
    assert fetched == [folders[1] / "file"]
    assert [path.name for path in folders[1].iterdir()] == ["file"]
    assert (folders[1] / "file").read_bytes() == CONTENT


def test_find_lists_what_it_tried(folders):
    data, cache = folders

    def fetch(path):
        raise OSError("https://host/file: no network")

    with pytest.raises(FileNotFoundError) as caught:
        find("file", fetch, advice="Or make it.")
    message = str(caught.value)
    for part in (
        f"{data / 'file'} (the folder that FJAX_DATA names): no such file",
        f"{cache / 'file'} (the cache): no such file",
        "a download: https://host/file: no network",
        "set FJAX_DATA to the folder that holds it. Or make it.",
    ):
        assert part in message


def test_find_without_environment_variables(folders, monkeypatch):
    monkeypatch.delenv("FJAX_DATA")
    monkeypatch.delenv("FJAX_CACHE")
    monkeypatch.setenv("HOME", str(folders[0]))
    assert cache_folder() == folders[0] / ".cache" / "fjax" / "datasets"
    with pytest.raises(FileNotFoundError, match="the variable is not set"):
        find("file")


def test_absolute_path_is_not_fetched(folders):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        find(str(folders[0] / "absent"), lambda path: pytest.fail("fetched"))


def test_write_is_atomic(tmp_path):
    def fill(file):
        file.write(b"half")
        raise KeyboardInterrupt

    (tmp_path / "file").write_text("before")
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "file", fill)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "before"


EXPECTED = {"x": ((2, 3), "uint8")}


def test_read_arrays(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.ones((2, 3), "uint8"), more=1)
    arrays = read_arrays(tmp_path / "a.npz", EXPECTED)
    assert list(arrays) == ["x"] and arrays["x"].sum() == 6


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": np.ones((2, 3), "uint8")}, r"lacks the array 'x' and holds \['y'\]"),
        (
            {"x": np.ones((2, 4), "uint8")},
            r"'x' must have shape \(2, 3\) and dtype uint8.*\(2, 4\)",
        ),
        ({"x": np.ones((2, 3), "float64")}, "must have shape .* uint8, and has .* float64"),
        ({"x": np.array([{}], object)}, r"not the expected `.npz` archive: .*allow_pickle=False"),
    ],
)
def test_read_arrays_refuses_other_arrays(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        read_arrays(tmp_path / "a.npz", EXPECTED)


def test_read_arrays_refuses_damaged_files(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.ones((2, 3), "uint8"))
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[160] ^= 255
    np.save(tmp_path / "single.npy", np.ones(3))
    single = (tmp_path / "single.npy").read_bytes()
    for content in (b"", b"text", whole[:-40], bytes(damaged), b"\x80\x04N.", single):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.npz"):
            read_arrays(path, EXPECTED)


MODULES = sorted(Path(fjax.datasets.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_datasets_do_not_import_jax(path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
        elif isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
    foreign = {
        name
        for name in imported
        if name.startswith("jax")
        or (name.startswith("fjax") and not name.startswith(("fjax.datasets", "fjax.errors")))
    }
    assert not foreign
