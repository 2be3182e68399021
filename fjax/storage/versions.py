"""Versions of the file formats, and migrations from older ones.

A file of an earlier release loads: a missing field takes its default, and a field whose meaning has
changed is rewritten by a migration. A file of a later release may contain something unknown; the
error then names the release to install.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fjax.version import VERSION

# The current version of the format. A change of a field's meaning adds one, and a migration.
FORMAT_VERSION = 2

# What reads the files of a kind that users may confuse with another one.
LOADERS = {"fjax.features": "fjax.utils.FeatureSpace.load"}

Config = dict[str, Any]


class Migration(NamedTuple):
    """A change in the meaning of a class's fields.

    Attributes:
        version: The first version of the format with the new meaning.
        class_name: The name of the class in files.
        convert: Takes the fields as an older file has them, as plain data, and returns them in
            their new meaning.
    """

    version: int
    class_name: str
    convert: Callable[[Config], Config]


def _name_default_initializer(config: Config) -> Config:
    """Replace the initializer of an `Embedding` that was created with `weights`.

    Format 1 describes it as if it were a user's function. The weights are among the arrays of the
    file, so any initializer will do.
    """
    if config.get("embeddings_initializer") != {"custom_function": "uniform"}:
        return config
    default = {"class": "initializers.RandomUniform", "config": {}}
    return {**config, "embeddings_initializer": default}


MIGRATIONS = (Migration(2, "layers.Embedding", _name_default_initializer),)


def format_metadata(kind: str) -> dict[str, str]:
    """Return the metadata of a file: its format, the format's version, and the fjax release.

    >>> format_metadata("model")["format"]
    'fjax.model'
    """
    return {"format": f"fjax.{kind}", "version": str(FORMAT_VERSION), "fjax": VERSION}


def check_format(metadata: Mapping[str, Any], kinds: tuple[str, ...]) -> int:
    """Return the version of a file's format.

    Args:
        metadata: The metadata of the file.
        kinds: The accepted kinds of files, such as "model".

    Raises:
        ValueError: The file is of another kind, or its format is newer than this release.

    >>> check_format({"format": "fjax.model", "version": "1"}, ("model",))
    1
    """
    formats = [f"fjax.{kind}" for kind in kinds]
    if metadata.get("format") not in formats:
        expected = " or ".join(map(repr, formats))
        loader = LOADERS.get(str(metadata.get("format")))
        raise ValueError(
            f"its 'format' is {str(metadata.get('format'))[:40]!r}, expected {expected}"
            + (f": load it with `{loader}`" if loader else "")
        )
    version = metadata.get("version")
    if not isinstance(version, str) or not re.fullmatch(r"[1-9][0-9]{0,5}", version):
        raise ValueError(
            f"its 'version' is {str(version)[:40]!r}, expected '1' to '{FORMAT_VERSION}'"
        )
    if int(version) > FORMAT_VERSION:
        raise ValueError(
            f"its 'version' is {version!r}, but this fjax ({VERSION}) reads '1' to "
            f"'{FORMAT_VERSION}'{upgrade_hint(metadata)}"
        )
    return int(version)


def upgrade_hint(metadata: Mapping[str, Any]) -> str:
    """Return a sentence that names the release which wrote a file, if it is newer than this one.

    >>> upgrade_hint({"fjax": "99.1.0"})
    '. It was written by fjax 99.1.0, this is fjax ...: install the newer release'
    >>> upgrade_hint({"fjax": "0.0.1"})
    ''
    """
    writer = str(metadata.get("fjax", ""))[:40]
    if _release_numbers(writer) <= _release_numbers(VERSION):
        return ""
    return f". It was written by fjax {writer}, this is fjax {VERSION}: install the newer release"


def migrate(data: Any, version: int, migrations: tuple[Migration, ...] = MIGRATIONS) -> Any:
    """Return the plain data of a file as the current version of the format has it.

    Args:
        data: The data.
        version: The version of the file's format.
        migrations: All migrations, in order.

    >>> old = {"class": "layers.Embedding", "config": {
    ...     "embeddings_initializer": {"custom_function": "uniform"}}}
    >>> migrate(old, 1)["config"]["embeddings_initializer"]["class"]
    'initializers.RandomUniform'
    """
    if isinstance(data, list):
        return [migrate(item, version, migrations) for item in data]
    if not isinstance(data, dict):
        return data
    data = {key: migrate(item, version, migrations) for key, item in data.items()}
    if data.keys() == {"class", "config"} and isinstance(data["config"], dict):
        for migration in migrations:
            if version < migration.version and migration.class_name == data["class"]:
                data["config"] = migration.convert(data["config"])
    return data


def _release_numbers(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d{1,9}", release))
