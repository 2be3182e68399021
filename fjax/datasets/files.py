"""Where a dataset's file comes from: the user's folder, the cache, or its official source."""

import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np


@dataclass(frozen=True)
class Download:
    """A file at its official source, by address and content; a longer or other one is refused."""

    url: str
    sha256: str
    size: int


def find(name: str, fetch: Callable[[Path], None] | None = None, *, otherwise: str = "") -> Path:
    """Return the path of a dataset's file.

    Args:
        name: The file's name in those folders, or an absolute path, looked for there alone.
        fetch: What writes the file to the path it is given, in the cache; None where nobody can.
        otherwise: A sentence for the error: how else to come by the file.

    Raises:
        FileNotFoundError: The file is nowhere and could not be had; says what was tried.
    """
    if os.path.isabs(name):
        if os.path.isfile(name):
            return Path(name)
        raise FileNotFoundError(f"There is no file {name}.")
    tried = []
    chosen = os.environ.get("FJAX_DATA")
    if chosen:
        path = Path(chosen).expanduser() / name
        if path.is_file():
            return path
        tried.append(f"{path} (the folder that FJAX_DATA names): not there")
    else:
        tried.append("the folder that FJAX_DATA names: the variable is not set")
    path = cache_folder() / name
    if path.is_file():
        return path
    tried.append(f"{path} (the cache): not there")
    cause = None
    if fetch is not None:
        try:
            fetch(path)
            return path
        except (OSError, ValueError) as error:
            tried.append(f"a download: {error}")
            cause = error
    listed = "".join(f"\n  - {attempt}" for attempt in tried)
    advice = "Put the file in one of these folders, or set FJAX_DATA to the folder that holds it."
    message = f"The dataset's file `{name}` was not found. Tried:{listed}\n{advice} {otherwise}"
    raise FileNotFoundError(message.rstrip()) from cause


def cache_folder() -> Path:
    """Return the folder that downloads are kept in."""
    return Path(os.environ.get("FJAX_CACHE") or "~/.cache/fjax/datasets").expanduser()


def download(source: Download, *, schemes: tuple[str, ...] = ("https",)) -> bytes:
    """Return the content of a source, of exactly its checksum.

    Redirections are not followed: the address is where the file is.

    Raises:
        OSError: The source cannot be reached or answers with an error.
        ValueError: The address is of another scheme, or the content is not the known one.
    """
    # Slow to import, and most calls find their file on the disk.
    from http.client import HTTPException
    from urllib.parse import urlsplit
    from urllib.request import HTTPRedirectHandler, build_opener

    class Unmoved(HTTPRedirectHandler):
        def redirect_request(self, *args: Any, **kwargs: Any) -> None:
            return None

    if urlsplit(source.url).scheme not in schemes:
        raise ValueError(f"{source.url} is not an address of {' or '.join(schemes)}.")
    try:
        with build_opener(Unmoved).open(source.url, timeout=30) as response:
            # One byte more than the file has tells a longer one without reading it all.
            content = response.read(source.size + 1)
    except (OSError, HTTPException) as error:
        raise OSError(f"{source.url}: {error or type(error).__name__}") from error
    if len(content) > source.size:
        raise ValueError(f"{source.url} is longer than the {source.size} bytes it should have.")
    found = hashlib.sha256(content).hexdigest()
    if found != source.sha256:
        raise ValueError(f"{source.url} has the SHA-256 {found}, expected {source.sha256}.")
    return content


def write(path: Path, fill: Callable[[BinaryIO], Any]) -> None:
    """Write a file so that nobody, not even after a crash, finds half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def read_arrays(
    path: Path, expected: Mapping[str, tuple[tuple[int, ...], str]]
) -> dict[str, np.ndarray]:
    """Return the arrays of an `.npz` file.

    Args:
        path: The file.
        expected: The shape and the dtype of each array by its name.

    Raises:
        ValueError: The file is not such an archive, or an array is missing or another.
    """
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no whole archive")
        with np.load(path, allow_pickle=False) as archive:
            missing = expected.keys() - set(archive.files)
            if missing:
                raise ValueError(f"it lacks the array {min(missing)!r} and holds {archive.files}")
            arrays = {name: archive[name] for name in expected}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is not the expected `.npz` archive: {error}.") from error
    for name, (shape, dtype) in expected.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != dtype:
            raise ValueError(
                f"{path}: the array {name!r} must be of shape {shape} and {dtype}, it is of shape "
                f"{array.shape} and {array.dtype}."
            )
    return arrays
