"""Versions of files: which release wrote one, and what has changed its meaning since.

A file of an earlier release loads: a missing field takes its default, and where a field that is
there has another meaning today, a migration rewrites it. A file of a later release may have what is
unknown here: then the error says which release to install.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fjax.version import VERSION

# The version of what stands in files; each change of a meaning adds one, and a migration.
FORMAT = 2

Config = dict[str, Any]


class Migration(NamedTuple):
    """A change of the meaning of a class's fields.

    Attributes:
        to: The format's version from which the new meaning holds.
        owner: The class, by its name in files.
        change: Returns the fields in the new meaning, plain data as they stand in a file.
    """

    to: int
    owner: str
    change: Callable[[Config], Config]


def _without_given_vectors(config: Config) -> Config:
    """Name the default initializer, where format 1 named it as if it were a user's function.

    An `Embedding` that was made with `weights` has them among the file's arrays.
    """
    if config.get("embeddings_initializer") != {"custom_function": "uniform"}:
        return config
    default = {"class": "initializers.RandomUniform", "config": {}}
    return {**config, "embeddings_initializer": default}


MIGRATIONS = (Migration(2, "layers.Embedding", _without_given_vectors),)


def stamp(kind: str) -> dict[str, str]:
    """Return what a file of a kind says of itself: its format, and who wrote it.

    >>> stamp("model")["format"]
    'fjax.model'
    """
    return {"format": f"fjax.{kind}", "version": str(FORMAT), "fjax": VERSION}


def check_stamp(found: Mapping[str, Any], kinds: tuple[str, ...]) -> int:
    """Return the version of a file's format.

    Args:
        found: What the file says of itself.
        kinds: Which kinds of files are wanted.

    Raises:
        ValueError: It is a file of another kind, or of a later format.

    >>> check_stamp({"format": "fjax.model", "version": "1"}, ("model",))
    1
    """
    formats = [f"fjax.{kind}" for kind in kinds]
    if found.get("format") not in formats:
        wanted = " or ".join(map(repr, formats))
        raise ValueError(f"its 'format' is {str(found.get('format'))[:40]!r}, expected {wanted}")
    version = found.get("version")
    if not isinstance(version, str) or not re.fullmatch(r"[1-9][0-9]{0,5}", version):
        raise ValueError(f"its 'version' is {str(version)[:40]!r}, expected '1' to '{FORMAT}'")
    if int(version) > FORMAT:
        raise ValueError(
            f"its 'version' is {version!r}, and this fjax ({VERSION}) reads '1' to '{FORMAT}'"
            f"{newer_release(found)}"
        )
    return int(version)


def newer_release(found: Mapping[str, Any]) -> str:
    """Return a sentence that names the release that wrote a file, if it is later than this one.

    >>> newer_release({"fjax": "99.1.0"})
    '. It was written by fjax 99.1.0, this is fjax ...: install the later one'
    >>> newer_release({"fjax": "0.0.1"})
    ''
    """
    writer = str(found.get("fjax", ""))[:40]
    if _numbers(writer) <= _numbers(VERSION):
        return ""
    return f". It was written by fjax {writer}, this is fjax {VERSION}: install the later one"


def migrated(data: Any, version: int, migrations: tuple[Migration, ...] = MIGRATIONS) -> Any:
    """Return plain data of a file in today's meaning.

    Args:
        data: The data.
        version: The version of the file's format.
        migrations: All changes of a meaning.

    >>> old = {"class": "layers.Embedding", "config": {
    ...     "embeddings_initializer": {"custom_function": "uniform"}}}
    >>> migrated(old, 1)["config"]["embeddings_initializer"]["class"]
    'initializers.RandomUniform'
    """
    if isinstance(data, list):
        return [migrated(item, version, migrations) for item in data]
    if not isinstance(data, dict):
        return data
    data = {key: migrated(item, version, migrations) for key, item in data.items()}
    if data.keys() == {"class", "config"} and isinstance(data["config"], dict):
        for to, owner, change in migrations:
            if version < to and owner == data["class"]:
                data["config"] = change(data["config"])
    return data


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d{1,9}", release))
