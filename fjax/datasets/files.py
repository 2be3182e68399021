"""Find the file of a dataset: in the user's folder, in the cache, or at its official source."""

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

from fjax.datasets.split import Samples


@dataclass(frozen=True)
class Download:
    """A file at its official source; one with another size or checksum is refused.

    Attributes:
        url: The address.
        checksum: The SHA-256 of the content in hexadecimal digits, or its MD5 where the source
            publishes no other.
        size: The size in bytes.
    """

    url: str
    checksum: str
    size: int


def find(name: str, fetch: Callable[[Path], None] | None = None, *, advice: str = "") -> Path:
    """Return the path of a dataset's file.

    Args:
        name: The name of the file in the user's folder or the cache, or an absolute path.
        fetch: A function that downloads the file to the path that it is called with, or None.
        advice: A sentence for the error message: how else to get the file.

    Raises:
        FileNotFoundError: The file was not found; the message says where it was looked for.
    """
    if os.path.isabs(name):
        if os.path.isfile(name):
            return Path(name)
        raise FileNotFoundError(f"There is no file {name}.")
    tried = []
    folder = os.environ.get("FJAX_DATA")
    if folder:
        path = Path(folder).expanduser() / name
        if path.is_file():
            return path
        tried.append(f"{path} (the folder that FJAX_DATA names): no such file")
    else:
        tried.append("the folder that FJAX_DATA names: the variable is not set")
    path = cache_folder() / name
    if path.is_file():
        return path
    tried.append(f"{path} (the cache): no such file")
    cause = None
    if fetch is not None:
        try:
            fetch(path)
            return path
        except (OSError, ValueError) as error:
            tried.append(f"a download: {error}")
            cause = error
    attempts = "".join(f"\n  - {attempt}" for attempt in tried)
    message = (
        f"The dataset's file `{name}` was not found. Tried:{attempts}\nPut the file in one of "
        f"these folders, or set FJAX_DATA to the folder that holds it. {advice}"
    )
    raise FileNotFoundError(message.rstrip()) from cause


def cache_folder() -> Path:
    """Return the folder of downloaded files."""
    return Path(os.environ.get("FJAX_CACHE") or "~/.cache/fjax/datasets").expanduser()


def download(source: Download, *, schemes: tuple[str, ...] = ("https",)) -> bytes:
    """Download a file and check its content.

    Redirects are not followed: they could lead to another scheme or host.

    Raises:
        OSError: The source cannot be reached or answers with an error.
        ValueError: The address has another scheme, or the content has another size or checksum.
    """
    # These imports are slow, and most calls find their file on disk.
    from http.client import HTTPException
    from urllib.parse import urlsplit
    from urllib.request import HTTPRedirectHandler, build_opener

    class NoRedirects(HTTPRedirectHandler):
        def redirect_request(self, *args: Any, **kwargs: Any) -> None:
            return None

    if urlsplit(source.url).scheme not in schemes:
        raise ValueError(f"{source.url} does not have the scheme {' or '.join(schemes)}.")
    try:
        with build_opener(NoRedirects).open(source.url, timeout=30) as response:
            # One byte more than expected shows that a file is longer without reading all of it.
            content = response.read(source.size + 1)
    except (OSError, HTTPException) as error:
        raise OSError(f"{source.url}: {error or type(error).__name__}") from error
    if len(content) > source.size:
        raise ValueError(f"{source.url} is longer than the expected {source.size} bytes.")
    algorithm = "sha256" if len(source.checksum) == 64 else "md5"
    checksum = hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
    if checksum != source.checksum:
        raise ValueError(
            f"{source.url} has the {algorithm} checksum {checksum}, expected {source.checksum}."
        )
    return content


def write(path: Path, fill: Callable[[BinaryIO], Any]) -> None:
    """Write a file atomically: even after a crash, it is complete or missing.

    Args:
        path: The path of the file; its folder is created if it does not exist.
        fill: A function that writes the content into an open file.
    """
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


def fetcher(source: Download) -> Callable[[Path], None]:
    """Return a function that downloads a file to the path that it is called with."""

    def fetch(path: Path) -> None:
        content = download(source)
        write(path, lambda file: file.write(content))

    return fetch


def read_images(path: Path, train: int, test: int, side: int) -> tuple[Samples, Samples]:
    """Return `(x_train, y_train), (x_test, y_test)` of an `.npz` file of square images in uint8.

    Args:
        path: The file.
        train: The number of images to train on.
        test: The number of images to test on.
        side: The number of pixels on each side.

    Raises:
        ValueError: The file holds other data; see `read_arrays`.
    """
    shapes = {
        "x_train": (train, side, side),
        "y_train": (train,),
        "x_test": (test, side, side),
        "y_test": (test,),
    }
    arrays = read_arrays(path, {name: (shape, "uint8") for name, shape in shapes.items()})
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def read_arrays(
    path: Path, expected: Mapping[str, tuple[tuple[int, ...], str]]
) -> dict[str, np.ndarray]:
    """Return the arrays of an `.npz` file.

    Args:
        path: The file.
        expected: The shape and the dtype of each array, by name.

    Raises:
        ValueError: The file is not such an archive, or an array is missing or has another shape or
            dtype.
    """
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is not a complete archive")
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
                f"{path}: the array {name!r} must have shape {shape} and dtype {dtype}, and has "
                f"shape {array.shape} and dtype {array.dtype}."
            )
    return arrays
