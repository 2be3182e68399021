"""The files of a folder, their classes, and the part of them that a data set has."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fjax.errors import integer_at_least, is_integer, number_between, one_of, seed_of
from fjax.preprocessing.dataset import AUTOTUNE, Dataset
from fjax.preprocessing.messages import print_message

LABEL_MODES = ("int", "categorical", "binary", None)
SUBSETS = ("training", "validation", "both", None)


class FolderOptions(NamedTuple):
    """The arguments that all functions `…_dataset_from_directory` have.

    Attributes:
        owner: The name of the function, for errors.
        directory: The folder.
        formats: The extensions of its files, in lower case.
        labels: "inferred" from the names of subfolders, None, or one integer per file.
        label_mode: "int", "categorical", "binary" or None.
        class_names: The names of the classes in their order, or None.
        batch_size: Elements in a batch; None for single elements.
        shuffle: Whether to shuffle.
        seed: The seed of the order, or None.
        validation_split: The fraction of the files for validation, or None.
        subset: "training", "validation", "both" or None.
        follow_links: Whether to enter folders that are symbolic links.
        verbose: Whether to print how many files were found.
    """

    owner: str
    directory: Any
    formats: tuple[str, ...]
    labels: Any
    label_mode: str | None
    class_names: Sequence[str] | None
    batch_size: int | None
    shuffle: bool
    seed: int | None
    validation_split: float | None
    subset: str | None
    follow_links: bool
    verbose: bool


class Files(NamedTuple):
    """Files, their labels (None without labels) and the names of the classes."""

    paths: list[str]
    labels: list[int] | None
    class_names: list[str] | None


def dataset_from_directory(
    options: FolderOptions, load: Callable[[str], Any], pad: bool = False
) -> Any:
    """Return the data set of a folder's files, or with `subset="both"` a list of two.

    Args:
        options: The arguments of the function that was called.
        load: Returns the content of a file; called in threads.
        pad: Whether to pad the elements of a batch with zeros to one shape.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: The folder has no such files, or an argument is invalid.
    """
    if options.labels is None or options.label_mode is None:
        options = options._replace(labels=None, label_mode=None)
    _check(options)
    # As in Keras, numpy's global generator draws the seed.
    seed = np.random.randint(1_000_000) if options.seed is None else options.seed
    files = _find_files(options)
    if options.label_mode == "binary" and len(files.class_names or ()) != 2:
        raise ValueError(
            f'`{options.owner}`: `label_mode="binary"` needs two classes, found '
            f"{files.class_names}."
        )
    if options.shuffle:
        files = _shuffle(files, seed)
    parts = []
    for subset in ("training", "validation") if options.subset == "both" else (options.subset,):
        part = _select(options, files, subset)
        shuffled = options.shuffle and not (options.subset == "both" and subset == "validation")
        parts.append(_dataset(options, part, load, pad, seed if shuffled else None))
    return parts if options.subset == "both" else parts[0]


def _check(options: FolderOptions) -> None:
    owner, labels = options.owner, options.labels
    if isinstance(labels, str):
        one_of(owner, "labels", labels, ["inferred"])
    elif labels is not None and not isinstance(labels, list | tuple):
        raise ValueError(
            f'`{owner}`: `labels` must be "inferred", None, or a list of one integer per file, '
            f"received {type(labels).__name__}."
        )
    if labels != "inferred" and options.class_names:
        raise ValueError(
            f'`{owner}`: `class_names` orders the classes of `labels="inferred"`, and the labels '
            f"are {'given' if labels else 'left out'}: leave out `class_names`."
        )
    one_of(owner, "label_mode", options.label_mode, LABEL_MODES)
    one_of(owner, "subset", options.subset, SUBSETS)
    if options.batch_size is not None:
        integer_at_least(owner, "batch_size", options.batch_size, 1)
    split = options.validation_split
    if split:
        number_between(owner, "validation_split", split, 0, 1, open_low=True, open_high=True)
    if bool(split) != bool(options.subset):
        raise ValueError(
            f"`{owner}`: give both `validation_split` and `subset`, or neither; received "
            f"validation_split={split!r}, subset={options.subset!r}."
        )
    if options.seed is not None:
        seed_of(owner, options.seed)
    elif split and options.shuffle:
        raise ValueError(
            f"`{owner}`: a split of shuffled files needs a `seed`, so that the training and the "
            "validation set share no file."
        )


def _find_files(options: FolderOptions) -> Files:
    """Return all files: class by class, each sorted by folder and name."""
    folder = os.fsdecode(options.directory)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"`{options.owner}`: there is no folder {folder}.")
    if options.labels != "inferred":
        return _label_files(options, list(_walk(options, folder)))
    names = _class_names(options, folder)
    paths: list[str] = []
    labels: list[int] = []
    for index, name in enumerate(names):
        found = list(_walk(options, os.path.join(folder, name)))
        paths += found
        labels += [index] * len(found)
    _report(options, f"Found {len(paths)} files belonging to {len(names)} classes.")
    return Files(paths, labels, names)


def _class_names(options: FolderOptions, folder: str) -> list[str]:
    entries = sorted(os.listdir(folder))
    found = [name for name in entries if os.path.isdir(os.path.join(folder, name))]
    found = [name for name in found if not name.startswith(".")]
    if not found:
        raise ValueError(
            f'`{options.owner}`: {folder} has no subfolder: with `labels="inferred"` it needs one '
            "for each class. `labels=None` reads the files without classes."
        )
    if options.class_names is None:
        return found
    names = list(options.class_names)
    missing = [name for name in names if name not in found]
    if missing or len(set(names)) < len(names):
        raise ValueError(
            f"`{options.owner}`: `class_names` must be names of subfolders of {folder}, each once: "
            f"it has {found}, received {names}."
        )
    return names


def _label_files(options: FolderOptions, paths: list[str]) -> Files:
    labels = options.labels
    if labels is None:
        _report(options, f"Found {len(paths)} files.")
        return Files(paths, None, None)
    if len(labels) != len(paths) or not all(map(is_integer, labels)):
        raise ValueError(
            f"`{options.owner}`: `labels` must be one integer for each file: there are "
            f"{len(paths)} files in {options.directory}, received {len(labels)} labels."
        )
    names = [str(label) for label in sorted(set(labels))]
    _report(options, f"Found {len(paths)} files belonging to {len(names)} classes.")
    return Files(paths, [int(label) for label in labels], names)


def _walk(options: FolderOptions, folder: str) -> Iterator[str]:
    levels = os.walk(folder, followlinks=options.follow_links)
    for root, _, names in sorted(levels, key=lambda level: level[0]):
        for name in sorted(names):
            if name.lower().endswith(options.formats):
                yield os.path.join(root, name)


def _shuffle(files: Files, seed: int) -> Files:
    # Keras's order: its validation sets have the same files.
    order = np.arange(len(files.paths))
    np.random.RandomState(seed).shuffle(order)
    paths = [files.paths[index] for index in order]
    labels = files.labels and [files.labels[index] for index in order]
    return Files(paths, labels, files.class_names)


def _select(options: FolderOptions, files: Files, subset: str | None) -> Files:
    """Return the files of a subset: the last ones are those for validation."""
    count = len(files.paths)
    chosen = slice(None)
    if options.validation_split:
        held_out = int(options.validation_split * count)
        is_training = subset == "training"
        chosen = slice(count - held_out) if is_training else slice(count - held_out, None)
        used = count - held_out if is_training else held_out
        print_message(f"Using {used} files for {subset}.")
    if not files.paths[chosen]:
        kind = f" for {subset}" if subset else ""
        raise ValueError(
            f"`{options.owner}`: no files{kind} in {options.directory}: it has {count} files with "
            f"the extensions {', '.join(options.formats)}."
        )
    return Files(files.paths[chosen], files.labels and files.labels[chosen], files.class_names)


def _dataset(
    options: FolderOptions,
    files: Files,
    load: Callable[[str], Any],
    pad: bool,
    seed: int | None,
) -> Dataset:
    items: list[Any] = list(files.paths)
    if files.labels is not None:
        encode = _encoder(options.label_mode, len(files.class_names or ()))
        items = list(zip(files.paths, map(encode, files.labels), strict=True))
    dataset = Dataset.from_items(items, class_names=files.class_names)
    size = options.batch_size
    if seed is not None:
        dataset = dataset.shuffle(1024 if size is None else size * 8, seed)

    def read(path: str, *label: Any) -> Any:
        return (load(path), *label) if label else load(path)

    dataset = dataset.map(read, AUTOTUNE)
    if size is not None:
        dataset = dataset.padded_batch(size) if pad else dataset.batch(size)
    dataset = dataset.prefetch(AUTOTUNE)
    dataset.file_paths = files.paths
    return dataset


def _encoder(label_mode: str | None, classes: int) -> Callable[[int], Any]:
    if label_mode == "int":
        return np.int32
    if label_mode == "binary":
        return lambda label: np.array([label], np.float32)
    return lambda label: (np.arange(classes) == label).astype(np.float32)


def _report(options: FolderOptions, message: str) -> None:
    if options.verbose:
        print_message(message)
