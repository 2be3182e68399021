"""Atomic writes: a file has its old content or its new content, whatever happens."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fjax.storage.atomic import write_atomically


def test_a_new_file_has_the_default_permissions(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    write_atomically(tmp_path / "a", lambda: [b"one"])
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_replaced_file_keeps_its_permissions(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o640)
    write_atomically(tmp_path / "a", lambda: [b"new"])
    assert (tmp_path / "a").read_bytes() == b"new"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_the_target_of_a_link_is_replaced(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("file")
    write_atomically(tmp_path / "link", lambda: [b"new"])
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_bytes() == b"new"


def test_a_failed_write_changes_nothing(tmp_path):
    (tmp_path / "a").write_bytes(b"old")

    def chunks():
        yield b"new"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "a", chunks)
    assert os.listdir(tmp_path) == ["a"] and (tmp_path / "a").read_bytes() == b"old"


def test_a_kill_at_any_call_leaves_the_old_or_the_new_checkpoint(tmp_path):
    command = [sys.executable, "-W", "error", "-m", "tests.storage.killed_writes"]
    result = subprocess.run(
        [*command, str(tmp_path)], cwd=Path(__file__).parents[2], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 20


def test_other_threads_never_see_a_changed_umask(tmp_path):
    modes, finished = set(), threading.Event()

    def watch():
        while not finished.is_set():
            (tmp_path / "watched").touch()
            modes.add((tmp_path / "watched").stat().st_mode & 0o777)
            (tmp_path / "watched").unlink()

    thread = threading.Thread(target=watch)
    thread.start()
    for _ in range(200):
        write_atomically(tmp_path / "a", lambda: [b"one"])
        (tmp_path / "a").unlink()
    finished.set()
    thread.join()
    assert len(modes) == 1


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


def test_without_file_locks_everything_but_checkpoints_works(tmp_path):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_FCNTL, str(tmp_path)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "no `fcntl` on this platform" in result.stdout
    assert not (tmp_path / "run").exists()
