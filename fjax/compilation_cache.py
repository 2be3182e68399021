"""Keep compiled programs in files, so that later processes do not compile them again."""

import hashlib
import os
import platform
import stat
from pathlib import Path

import jax
from jax.experimental.compilation_cache import compilation_cache

# A file of JAX's cache that holds a program.
PROGRAMS = "*-cache"


def enable_compilation_cache(
    directory: str | os.PathLike[str] | None = None, max_bytes: int | None = 2**30
) -> Path:
    """Store the programs that this process compiles, and load those of earlier processes.

    It applies to all programs of JAX from now on. A program is loaded only if it is the same, and
    was compiled by the same release of JAX with the same options; its results are the same bits.

    Args:
        directory: The directory of the cache, created if it is missing; by default `fjax` in the
            user's directory for caches: `$XDG_CACHE_HOME`, or `~/.cache`. Each kind of processor
            gets its own subdirectory, since programs contain its instructions.
        max_bytes: The size to which this call reduces the stored programs, the oldest first; None
            keeps all.

    Returns:
        The subdirectory of this processor.

    Raises:
        PermissionError: Other users may write to the directory, or it is another user's: the files
            are executable code. It must belong to this user.
        OSError: The directory cannot be created or written to.
        ValueError: `max_bytes` is negative.

    Source: JAX's page "Persistent compilation cache".
    """
    if max_bytes is not None and max_bytes < 0:
        raise ValueError(
            "`enable_compilation_cache`: `max_bytes` must be None or a number of bytes, at least "
            f"0, received {max_bytes}."
        )
    folder = _parent(directory) / _processor()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (folder.parent, folder):
        _check_owner(path)
    if not os.access(folder, os.W_OK):
        raise PermissionError(
            f"`enable_compilation_cache`: the directory {str(folder)!r} is read-only. Give another "
            "`directory`."
        )
    if max_bytes is not None:
        _reduce(folder, max_bytes)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    # By default JAX stores only programs that take a second or longer to compile.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    # JAX reads the directory at the first compilation of a process.
    compilation_cache.reset_cache()
    return folder


def _parent(directory: str | os.PathLike[str] | None) -> Path:
    if directory is not None:
        return Path(directory).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fjax"


def _processor() -> str:
    """Return a name of the kind of processor, equal where programs may be exchanged."""
    names = ("model name", "flags", "Features", "CPU part")
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    # One line of each name: the cores of a machine are equal.
    values = {name: line for line in lines if (name := line.partition(":")[0].strip()) in names}
    description = repr(
        (platform.platform(terse=True), platform.processor(), sorted(values.items()))
    )
    return f"{platform.machine()}-{hashlib.sha256(description.encode()).hexdigest()[:16]}"


def _check_owner(path: Path) -> None:
    """Raise PermissionError if another user can put programs into a directory."""
    if not hasattr(os, "getuid"):
        return
    status = path.stat()
    if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(
            f"`enable_compilation_cache`: other users may write to the directory {str(path)!r}, "
            "and this process would execute their programs. Give a `directory` of your own, or "
            f"take their permission by `chmod go-w {path}`."
        )


def _reduce(folder: Path, max_bytes: int) -> None:
    """Delete the oldest programs until the others have at most so many bytes."""
    programs = sorted(
        ((status.st_mtime, status.st_size, path) for path, status in _programs(folder)),
        reverse=True,
    )
    total = 0
    for _, size, path in programs:
        total += size
        if total > max_bytes:
            # Another process may have deleted it.
            path.unlink(missing_ok=True)


def _programs(folder: Path) -> list[tuple[Path, os.stat_result]]:
    found = []
    for path in folder.glob(PROGRAMS):
        try:
            found.append((path, path.stat()))
        except FileNotFoundError:
            continue
    return found
