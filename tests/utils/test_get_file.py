"""`get_file` and the extraction of archives, tested against a server on this machine."""

import hashlib
import http.server
import io
import os
import stat
import tarfile
import threading
import zipfile
from pathlib import Path

import keras
import pytest

from fjax.utils import disable_interactive_logging, enable_interactive_logging, get_file

CONTENT = b"0123456789" * 5000
SHA256, MD5 = hashlib.sha256(CONTENT).hexdigest(), hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    requests = 0

    def do_GET(self):
        type(self).requests += 1
        name = self.path.partition("?")[0]
        if name in ("/moved", "/elsewhere"):
            self.send_response(302)
            target = "/words.txt" if name == "/moved" else "ftp://127.0.0.1/words.txt"
            self.send_header("Location", target)
            self.end_headers()
        elif name in ("/words.txt", "/short", "/unsized"):
            self.send_response(200)
            if name != "/unsized":
                self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[:100] if name == "/short" else CONTENT)
        else:
            self.send_error(404)

    def log_message(self, *args):
        pass


@pytest.fixture(autouse=True)
def quiet():
    disable_interactive_logging()
    yield
    enable_interactive_logging()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    Handler.requests = 0
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"fname": "other.txt"},
        {"file_hash": SHA256},
        {"file_hash": MD5.upper()},
        {"md5_hash": MD5},
        {"file_hash": SHA256, "hash_algorithm": "sha256", "cache_subdir": "models"},
    ],
)
def test_files_are_downloaded_once(server, tmp_path, arguments):
    for _ in range(2):
        path = get_file(origin=f"{server}/words.txt?x=1", cache_dir=tmp_path, **arguments)
        assert Path(path).read_bytes() == CONTENT
    folder = tmp_path / arguments.get("cache_subdir", "datasets")
    assert path == str(folder / arguments.get("fname", "words.txt"))
    assert Handler.requests == 1
    get_file(origin=f"{server}/words.txt", cache_dir=tmp_path, force_download=True, **arguments)
    assert Handler.requests == 2


def test_paths_are_those_of_keras(server, tmp_path, monkeypatch):
    # Keras 3.15 also downloads without an error.
    for arguments in ({}, {"fname": "a.txt"}, {"cache_subdir": "x"}):
        ours = get_file(origin=f"{server}/words.txt", cache_dir=tmp_path / "a", **arguments)
        theirs = keras.utils.get_file(
            origin=f"{server}/words.txt", cache_dir=tmp_path / "a", **arguments
        )
        assert ours == theirs
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    assert get_file(origin=f"{server}/words.txt").startswith(str(tmp_path / "home" / "datasets"))


def test_redirects_and_files_of_unknown_length(server, tmp_path):
    for name in ("moved", "unsized"):
        path = get_file(origin=f"{server}/{name}", cache_dir=tmp_path)
        assert Path(path).read_bytes() == CONTENT


def test_a_cached_file_with_another_checksum_is_replaced(server, tmp_path):
    path = Path(get_file(origin=f"{server}/words.txt", cache_dir=tmp_path))
    path.write_bytes(b"damaged")
    get_file(origin=f"{server}/words.txt", cache_dir=tmp_path, file_hash=SHA256)
    assert path.read_bytes() == CONTENT


def test_messages(server, tmp_path, capsys):
    enable_interactive_logging()
    get_file(origin=f"{server}/words.txt", cache_dir=tmp_path)
    assert f"Downloading data from {server}/words.txt" in capsys.readouterr().out
    get_file(origin=f"{server}/words.txt", cache_dir=tmp_path)
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("/none", {}, OSError, "404"),
        ("/short", {}, OSError, "ended after 100 of 50000 bytes"),
        ("/elsewhere", {}, OSError, "redirects to ftp:"),
        ("/words.txt", {"file_hash": "0" * 64}, ValueError, "has the sha256 checksum"),
        ("/words.txt", {"file_hash": "0" * 32}, ValueError, "has the md5 checksum"),
        ("/words.txt", {"max_size": 49_999}, ValueError, "50000 bytes or more, and at most 49999"),
        ("/unsized", {"max_size": 49_999}, ValueError, "bytes or more, and at most 49999"),
        ("/words.txt", {"file_hash": "0"}, ValueError, "must have 64 hexadecimal digits"),
        ("/words.txt", {"hash_algorithm": "sha1"}, ValueError, "`hash_algorithm` must be one of"),
        ("/words.txt", {"fname": "../words.txt"}, ValueError, "without a folder"),
        ("/words.txt", {"fname": ".."}, ValueError, "without a folder"),
        ("/", {}, ValueError, "without a folder"),
        ("/words.txt", {"extract": True}, ValueError, "is not a tar or zip archive"),
        ("/words.txt", {"untar": True}, ValueError, "is not a tar archive"),
        (
            "/words.txt",
            {"extract": True, "archive_format": None},
            ValueError,
            "`archive_format` must be one of",
        ),
    ],
)
def test_mistakes_are_clear_errors_and_leave_no_file(
    server, tmp_path, name, arguments, error, message
):
    with pytest.raises(error, match=rf"`get_file`.*{message}"):
        get_file(origin=server + name, cache_dir=tmp_path, **arguments)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in kept] == ["words.txt_archive"] * ("archive" in message)


@pytest.mark.parametrize(
    "origin", [None, "", "ftp://host/a.txt", "data:,a", "/etc/hostname", "a.txt"]
)
def test_other_addresses_are_refused(tmp_path, origin):
    with pytest.raises(ValueError, match="`origin` must be an address"):
        get_file("a.txt", origin, cache_dir=tmp_path)


def make_tar(path, members, mode="w:gz"):
    """Write a tar archive of (name or TarInfo, content)."""
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def make_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)


MEMBERS = [("a/b/c.txt", b"deep"), ("d.txt", b"flat")]


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("x.tar", lambda path: make_tar(path, MEMBERS, "w")),
        ("x.tar.gz", lambda path: make_tar(path, MEMBERS)),
        ("x.tar.bz2", lambda path: make_tar(path, MEMBERS, "w:bz2")),
        ("x.zip", lambda path: make_zip(path, MEMBERS)),
    ],
)
@pytest.mark.parametrize("fname", [None, "y", "y.zip"])
def test_archives_are_extracted_as_in_keras(tmp_path, name, make, fname):
    make(tmp_path / name)
    # Keras writes to another folder if its cache does not exist.
    (tmp_path / "b").mkdir()
    origin = (tmp_path / name).as_uri()
    ours = Path(get_file(fname, origin, extract=True, cache_dir=tmp_path / "a"))
    theirs = Path(keras.utils.get_file(fname, origin, extract=True, cache_dir=tmp_path / "b"))
    assert ours.relative_to(tmp_path / "a") == theirs.relative_to(tmp_path / "b")
    for member, content in MEMBERS:
        assert (ours / member).read_bytes() == (theirs / member).read_bytes() == content
    # Each call restores what a program removed.
    (ours / "d.txt").unlink()
    assert Path(get_file(fname, origin, extract=True, cache_dir=tmp_path / "a")) == ours
    assert (ours / "d.txt").read_bytes() == b"flat"


def link(name, target, kind):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zip_link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


OUTSIDE = "would be written outside of the folder. Nothing was extracted"
LINK = "is a link or a device. Nothing was extracted"


@pytest.mark.parametrize(
    ("make", "members", "message"),
    [
        (make_tar, [("../evil", b"x")], OUTSIDE),
        (make_tar, [("/tmp/evil", b"x")], OUTSIDE),
        (make_tar, [("a/../../evil", b"x")], OUTSIDE),
        (make_tar, [("..\\evil", b"x")], OUTSIDE),
        (make_zip, [("../evil", b"x")], OUTSIDE),
        (make_zip, [("/tmp/evil", b"x")], OUTSIDE),
        (make_tar, [(link("l", "/etc", tarfile.SYMTYPE), b""), ("l/evil", b"x")], LINK),
        (make_tar, [(link("l", "good", tarfile.LNKTYPE), b"")], LINK),
        (make_tar, [(link("l", "", tarfile.FIFOTYPE), b"")], LINK),
        (make_zip, [(zip_link("l"), b"/etc")], LINK),
        (
            make_zip,
            [("large", bytes(10_000))],
            "have 10004 bytes or more, and at most 5000 are accepted",
        ),
    ],
)
def test_archives_that_would_escape_are_refused(tmp_path, make, members, message):
    make(tmp_path / "x.archive", [("good", b"good"), *members])
    with pytest.raises(ValueError, match=rf"x.archive.*{message}"):
        get_file(
            origin=(tmp_path / "x.archive").as_uri(), extract=True, cache_dir=tmp_path / "cache",
            max_size=5000,
        )  # fmt: skip
    assert not (tmp_path / "cache" / "datasets" / "x.archive").exists()
    assert not list(tmp_path.rglob("evil")) and not os.path.exists("/tmp/evil")


def test_a_link_in_the_folder_does_not_lead_outside(tmp_path):
    make_zip(tmp_path / "x.zip", [("l/evil", b"x")])
    folder = tmp_path / "cache" / "datasets" / "x.zip"
    folder.mkdir(parents=True)
    (folder / "l").symlink_to(tmp_path)
    with pytest.raises(ValueError, match=OUTSIDE):
        get_file(origin=(tmp_path / "x.zip").as_uri(), extract=True, cache_dir=tmp_path / "cache")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("make", [make_tar, make_zip])
def test_damaged_archives_are_refused(tmp_path, make):
    make(tmp_path / "x.archive", [("a", os.urandom(3000)), ("b", os.urandom(3000))])
    content = bytearray((tmp_path / "x.archive").read_bytes())
    content[1000:1100] = bytes(100)
    (tmp_path / "x.archive").write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        get_file(
            origin=(tmp_path / "x.archive").as_uri(), extract=True, cache_dir=tmp_path / "cache"
        )
