"""`get_file`: download a file into the cache, check it, and extract it."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from fjax.callbacks.progbar import Progbar
from fjax.config import is_interactive_logging_enabled
from fjax.datasets.files import write
from fjax.errors import integer_at_least, one_of
from fjax.preprocessing.messages import print_message
from fjax.utils.archives import extract_archive

SCHEMES = ("http", "https", "file")

_CHUNK = 2**20


def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
    *,
    max_size: int | None = None,
) -> str:
    """Return the path of a file, which is downloaded if it is not in the cache.

    A file is in the cache as a whole or not at all. Give `file_hash` if it is known.

    Args:
        fname: The name of the file in the cache; by default that of the address. With `extract`, it
            is the name of the folder; a name with an extension, such as "a.zip", gives the folder
            "a_extracted".
        origin: The address: `https:`, `http:` or `file:`.
        untar: The older name of `extract=True, archive_format="tar"`.
        md5_hash: The older name of `file_hash` with `hash_algorithm="md5"`.
        file_hash: The expected checksum, SHA-256 or MD5 in hexadecimal digits.
        cache_subdir: The folder within the cache, or an absolute path.
        hash_algorithm: "sha256", "md5", or "auto" for the one that has the length of `file_hash`.
        extract: Whether to extract the file, a tar (also compressed) or zip archive, and return the
            folder. It is extracted at each call, as in Keras.
        archive_format: "tar", "zip" or "auto".
        cache_dir: The cache; by default the environment variable KERAS_HOME, or `~/.keras`.
        force_download: Whether to download the file even if it is in the cache.
        max_size: The largest size in bytes to accept, of the file and of the files in an archive;
            None accepts what fits on the disk.

    Raises:
        OSError: The address cannot be reached, or the cache cannot be written.
        ValueError: An argument is invalid; the file has another checksum or is too large; or the
            archive is damaged, or would write outside of its folder.

    Source: Keras's page "Python & NumPy utilities", `get_file`.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "words.txt").write_text("so good")
    >>> path = get_file("a.txt", (folder / "words.txt").as_uri(), cache_dir=folder)
    Downloading data from file:...
    >>> pathlib.Path(path).read_text()
    'so good'
    """
    owner = "get_file"
    if not origin or urlsplit(origin).scheme not in SCHEMES:
        raise ValueError(
            f"`{owner}`: `origin` must be an address that begins with `https:`, `http:` or "
            f"`file:`, received {origin!r}."
        )
    if max_size is not None:
        integer_at_least(owner, "max_size", max_size, 0)
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    algorithm = _algorithm(owner, hash_algorithm, file_hash)
    folder = _cache(cache_dir) / cache_subdir
    path, extracted = _paths(owner, fname, origin, folder, extract or untar)
    folder.mkdir(parents=True, exist_ok=True)
    limit = shutil.disk_usage(folder).free if max_size is None else max_size
    if force_download or not _is_cached(path, file_hash, algorithm):
        print_message(f"Downloading data from {origin}")
        write(path, lambda file: _download(owner, origin, file, file_hash, algorithm, limit))
    if extracted is None:
        return str(path)
    extract_archive(owner, path, extracted, "tar" if untar else archive_format, limit)
    return str(extracted)


def _algorithm(owner: str, name: str, file_hash: str | None) -> str:
    one_of(owner, "hash_algorithm", name, ["auto", "sha256", "md5"])
    chosen = name if name != "auto" else "sha256" if len(file_hash or "") == 64 else "md5"
    digits = 64 if chosen == "sha256" else 32
    if file_hash is not None and len(file_hash) != digits:
        raise ValueError(
            f"`{owner}`: `file_hash` must have 64 hexadecimal digits (SHA-256) or 32 (MD5), "
            f"received {len(file_hash)} with hash_algorithm={name!r}."
        )
    return chosen


def _cache(cache_dir: str | os.PathLike[str] | None) -> Path:
    if cache_dir is None:
        cache_dir = os.environ.get("KERAS_HOME") or "~/.keras"
    return Path(cache_dir).expanduser()


def _paths(
    owner: str, fname: Any, origin: str, folder: Path, extract: bool
) -> tuple[Path, Path | None]:
    """Return the paths of the file and, if it is to be extracted, of the folder."""
    name = os.fspath(fname) if fname else os.path.basename(urlsplit(origin).path)
    if not name or name in (".", "..") or "/" in name or os.sep in name:
        raise ValueError(
            f"`{owner}`: `fname` must be the name of a file, without a folder, received {name!r}: "
            "give the folder as `cache_dir` and `cache_subdir`."
        )
    if not extract:
        return folder / name, None
    if fname and "." in name:
        return folder / name, folder / f"{name.partition('.')[0]}_extracted"
    return folder / f"{name}_archive", folder / name


def _is_cached(path: Path, file_hash: str | None, algorithm: str) -> bool:
    if not path.is_file():
        return False
    if file_hash is None:
        return True
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, algorithm).hexdigest()
    if found == file_hash.lower():
        return True
    print_message(f"The file {path} has another checksum: it is downloaded again.")
    return False


def _download(
    owner: str,
    origin: str,
    file: BinaryIO,
    file_hash: str | None,
    algorithm: str,
    limit: int,
) -> None:
    """Download into an open file, and raise unless the content is as expected."""
    # These imports are slow, and most calls find their file in the cache.
    from http.client import HTTPException
    from urllib.request import HTTPRedirectHandler, build_opener

    class SafeRedirects(HTTPRedirectHandler):
        def redirect_request(self, req: Any, fp: Any, code: int, *args: Any) -> Any:
            target = urlsplit(args[-1]).scheme
            if target != "https" and target != urlsplit(req.full_url).scheme:
                raise OSError(f"it redirects to {args[-1]}, which is not `https:`")
            return super().redirect_request(req, fp, code, *args)

    digest, size = hashlib.new(algorithm, usedforsecurity=False), 0
    try:
        with build_opener(SafeRedirects).open(origin, timeout=30) as response:
            length = response.headers.get("Content-Length")
            expected = None if length is None else int(length)
            _check_size(owner, origin, expected or 0, limit)
            bar = Progbar(expected, verbose=int(is_interactive_logging_enabled()))
            while chunk := response.read(_CHUNK):
                size += len(chunk)
                _check_size(owner, origin, size, limit)
                digest.update(chunk)
                file.write(chunk)
                bar.update(size)
    except (OSError, HTTPException) as error:
        raise OSError(f"`{owner}`: {origin}: {error or type(error).__name__}") from error
    if expected is not None and size != expected:
        raise OSError(f"`{owner}`: {origin} ended after {size} of {expected} bytes: try again.")
    if file_hash is not None and digest.hexdigest() != file_hash.lower():
        raise ValueError(
            f"`{owner}`: {origin} has the {algorithm} checksum {digest.hexdigest()}, expected "
            f"{file_hash}: it is not the expected file, and is not kept."
        )


def _check_size(owner: str, origin: str, size: int, limit: int) -> None:
    if size > limit:
        raise ValueError(
            f"`{owner}`: {origin} has {size} bytes or more, and at most {limit} are accepted: give "
            "a larger `max_size`, or free the disk."
        )
