"""`audio_dataset_from_directory`: the recordings of a folder as batches."""

import wave
from collections.abc import Sequence
from typing import Any

import numpy as np

from fjax.errors import integer_at_least
from fjax.preprocessing.directory import FolderOptions, dataset_from_directory


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """Return the recordings of a folder as a `Dataset` of batches `(audio, labels)`.

    Threads read the files during the iteration. Splits, classes and, with a seed, orders are
    Keras's.

    Args:
        directory: The folder, with a subfolder of `.wav` files of 16 bits for each class.
        labels: "inferred" from the names of the subfolders; None for no labels; or a list of one
            integer for each file, in the order of their paths.
        label_mode: "int" for int32 labels of shape `(batch,)`, "categorical" for float32 one-hot
            rows `(batch, classes)`, "binary" for float32 zeros and ones `(batch, 1)`, None for
            batches of audio without labels.
        class_names: The names of subfolders to use, in the order of their numbers; by default all,
            sorted.
        batch_size: Recordings in a batch; None for single recordings.
        sampling_rate: The rate that all files must have, in samples per second; fjax does not
            resample. None takes any rate.
        output_sequence_length: The length to which recordings are cut, or padded with zeros; with
            None, those of a batch are padded to its longest.
        ragged: False; numpy has no ragged arrays.
        shuffle: Whether to shuffle the files, and again in each pass within 8 batches.
        seed: The seed of the orders; None draws one from numpy's global generator.
        validation_split: The fraction of the files for validation.
        subset: "training" or "validation"; "both" returns a list of the two.
        follow_links: Whether to enter subfolders that are symbolic links.
        verbose: Whether to print how many files were found.

    Shapes: audio is float32 from -1 to 1, of shape `(batch, samples, channels)`.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: The folder has no recordings, or an argument is invalid; during the iteration, a
            file is not such a recording.

    Source: Keras's page "Audio data loading".
    """
    owner = "audio_dataset_from_directory"
    if ragged:
        raise ValueError(
            f"`{owner}`: `ragged=True` is not available, since numpy has no ragged arrays: leave "
            "it out to pad recordings, or use `batch_size=None`."
        )
    if sampling_rate is not None:
        integer_at_least(owner, "sampling_rate", sampling_rate, 1)
    if output_sequence_length is not None:
        integer_at_least(owner, "output_sequence_length", output_sequence_length, 1)

    def load(path: str) -> np.ndarray:
        audio, rate = read_wav(path)
        if sampling_rate is not None and rate != sampling_rate:
            raise ValueError(
                f"`{owner}`: {path} has {rate} samples per second, `sampling_rate` is "
                f"{sampling_rate}: resample the file first."
            )
        if output_sequence_length is None:
            return audio
        missing = max(output_sequence_length - len(audio), 0)
        return np.pad(audio[:output_sequence_length], [(0, missing), (0, 0)])

    options = FolderOptions(
        owner, directory, (".wav",), labels, label_mode, class_names, batch_size, shuffle, seed,
        validation_split, subset, follow_links, verbose,
    )  # fmt: skip
    return dataset_from_directory(options, load, pad=output_sequence_length is None)


def read_wav(path: str) -> tuple[np.ndarray, int]:
    """Return a recording in float32 from -1 to 1, and its rate in samples per second.

    Args:
        path: The path of a `.wav` file of 16 bits.

    Shapes: `(samples, channels)`.

    Raises:
        ValueError: The file is not such a recording.
    """
    try:
        with wave.open(path, "rb") as file:
            channels, width = file.getnchannels(), file.getsampwidth()
            rate, count = file.getframerate(), file.getnframes()
            content = file.readframes(count)
    except (wave.Error, EOFError) as error:
        raise ValueError(
            f"{path} is not a recording in PCM: {str(error) or 'it is cut off'}. Convert or remove "
            "the file."
        ) from error
    if width != 2:
        raise ValueError(f"{path} has {8 * width} bits, expected 16: convert the file.")
    samples = np.frombuffer(content, "<i2")
    if len(samples) != count * channels:
        raise ValueError(f"{path} is cut off: it has {len(samples)} of {count * channels} samples.")
    return samples.reshape(-1, channels).astype(np.float32) / 32768, rate
