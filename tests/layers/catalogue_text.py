"""Sample configurations and inputs of layers on text, for `test_text.py`."""

from typing import Any, NamedTuple

import numpy as np

from fjax import layers


class OnText(NamedTuple):
    """A layer on text and a sample of its inputs."""

    layer: Any
    inputs: tuple[np.ndarray, ...]

    @property
    def label(self) -> str:
        return repr(self.layer)


TEXTS = np.array(["the good film", "a film, a bad one", "", "good"])
NAMES = np.array([["a", "b"], ["z", "a"], ["", "c"]])

ON_TEXT = [
    OnText(layers.HashedCrossing(7, output_mode="one_hot"), (NAMES[:, 0], np.arange(3))),
    OnText(layers.StringLookup(vocabulary=("a", "b"), mask_token=""), (NAMES,)),
    OnText(layers.StringLookup(num_oov_indices=2, vocabulary=("a", "b"), idf_weights=(1.0, 2.0),
                               output_mode="tf_idf", salt=3), (NAMES,)),
    OnText(layers.StringLookup(vocabulary=("a", "b"), output_mode="one_hot"), (NAMES[:, :1],)),
    OnText(layers.TextVectorization(vocabulary=("film", "good")), (TEXTS,)),
    OnText(layers.TextVectorization(ngrams=(1, 2), output_sequence_length=3,
                                    vocabulary=("film", "a film")), (TEXTS[:, None],)),
    OnText(layers.TextVectorization(max_tokens=9, split="character", output_mode="count",
                                    pad_to_max_tokens=True, vocabulary=("f", "g")), (TEXTS,)),
]  # fmt: skip
