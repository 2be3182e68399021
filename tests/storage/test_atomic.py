"""A file is there whole or not at all."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fjax.storage.atomic import write_whole


def test_a_new_file_is_as_open_as_any(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    write_whole(tmp_path / "a", lambda: [b"one"])
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_is_replaced_keeps_its_permissions(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o640)
    write_whole(tmp_path / "a", lambda: [b"new"])
    assert (tmp_path / "a").read_bytes() == b"new"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_of_a_link_the_file_is_replaced(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("file")
    write_whole(tmp_path / "link", lambda: [b"new"])
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_bytes() == b"new"


def test_what_fails_leaves_everything_as_it_was(tmp_path):
    (tmp_path / "a").write_bytes(b"old")

    def parts():
        yield b"new"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "a", parts)
    assert os.listdir(tmp_path) == ["a"] and (tmp_path / "a").read_bytes() == b"old"


def test_killed_at_each_call_the_run_before_or_the_new_one_is_there(tmp_path):
    command = [sys.executable, "-W", "error", "-m", "tests.storage.killed_writes"]
    done = subprocess.run(
        [*command, str(tmp_path)], cwd=Path(__file__).parents[2], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20


def test_no_other_thread_sees_another_umask(tmp_path):
    masks, done = set(), threading.Event()

    def watch():
        while not done.is_set():
            (tmp_path / "watched").touch()
            masks.add((tmp_path / "watched").stat().st_mode & 0o777)
            (tmp_path / "watched").unlink()

    thread = threading.Thread(target=watch)
    thread.start()
    for _ in range(200):
        write_whole(tmp_path / "a", lambda: [b"one"])
        (tmp_path / "a").unlink()
    done.set()
    thread.join()
    assert len(masks) == 1


WITHOUT_FCNTL = """
import os, sys
import jax
sys.modules["fcntl"] = None
del os.O_NONBLOCK, os.O_DIRECTORY
import fjax, numpy as np
model = fjax.Sequential([fjax.layers.Input((2,)), fjax.layers.Dense(1)])
model.compile("sgd", "mse")
model.save(sys.argv[1] + "/model")
fjax.models.load_model(sys.argv[1] + "/model")
try:
    model.fit(np.ones((4, 2)), np.ones(4), verbose=0, resume=sys.argv[1] + "/run")
except OSError as error:
    print(error)
"""


def test_where_a_platform_has_no_file_locks_all_but_kept_runs_works(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_FCNTL, str(tmp_path)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no `fcntl` on this platform" in done.stdout
    assert not (tmp_path / "run").exists()
