"""`text_dataset_from_directory`: the text files of a folder as batches."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fjax.errors import integer_at_least
from fjax.preprocessing.directory import FolderOptions, dataset_from_directory
from fjax.preprocessing.formats import check_format


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Return the texts of a folder as a `Dataset` of batches `(texts, labels)`.

    Threads read the files during the iteration. Splits, classes and, with a seed, orders are
    Keras's. Texts are Python strings in arrays of objects, where TensorFlow has bytes.

    Args:
        directory: The folder, with a subfolder of `.txt` files in UTF-8 for each class.
        labels: "inferred" from the names of the subfolders; None for no labels; or a list of one
            integer for each file, in the order of their paths.
        label_mode: "int" for int32 labels of shape `(batch,)`, "categorical" for float32 one-hot
            rows `(batch, classes)`, "binary" for float32 zeros and ones `(batch, 1)`, None for
            batches of texts without labels.
        class_names: The names of subfolders to use, in the order of their numbers; by default all,
            sorted.
        batch_size: Texts in a batch; None for single texts.
        max_length: The number of characters after which a text is cut off; None keeps all.
        shuffle: Whether to shuffle the files, and again in each pass within 8 batches.
        seed: The seed of the orders; None draws one from numpy's global generator.
        validation_split: The fraction of the files for validation.
        subset: "training" or "validation"; "both" returns a list of the two.
        follow_links: Whether to enter subfolders that are symbolic links.
        format: "tf": the data set has the methods of `tf.data.Dataset`, and needs no TensorFlow.
        verbose: Whether to print how many files were found.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: The folder has no text files, or an argument is invalid; during the iteration, a
            file is not text in UTF-8.

    Source: Keras's page "Text data loading".

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("neg", "pos"):
    ...     (folder / name).mkdir()
    ...     _ = (folder / name / "1.txt").write_text("a " + name)
    >>> dataset = text_dataset_from_directory(folder, shuffle=False)
    Found 2 files belonging to 2 classes.
    >>> next(iter(dataset))[0].tolist()
    ['a neg', 'a pos']
    """
    owner = "text_dataset_from_directory"
    check_format(owner, format)
    if max_length is not None:
        integer_at_least(owner, "max_length", max_length, 0)

    def load(path: str) -> str:
        try:
            return Path(path).read_bytes().decode("utf-8")[:max_length]
        except UnicodeDecodeError as error:
            raise ValueError(
                f"`{owner}`: {path} is not text in UTF-8: {error}. Convert or remove the file."
            ) from error

    options = FolderOptions(
        owner, directory, (".txt",), labels, label_mode, class_names, batch_size, shuffle, seed,
        validation_split, subset, follow_links, verbose,
    )  # fmt: skip
    return dataset_from_directory(options, load)
