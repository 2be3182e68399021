"""Errors of shape evaluations show None for axes of any size, never a placeholder."""

import re

import numpy as np
import pytest

import fjax
from fjax.core.placeholders import PLACEHOLDER_SIZES, at_placeholder_sizes
from fjax.layers import Add, Conv1D, Conv2D, Dense, Embedding, Lambda

SIZES = re.compile("|".join(rf"\b{size}\b" for pair in PLACEHOLDER_SIZES for size in pair))
ONES = np.ones((4, 3), "float32")


class Refusing(fjax.Layer):
    """A layer whose `call` shows the shape of its inputs in an error."""

    def call(self, inputs):
        raise ValueError(f"received {inputs.shape}")


class RefusingBuild(fjax.Layer):
    """A layer whose `build` shows its input's shape in an error."""

    def build(self, input_shape):
        raise ValueError(f"received {input_shape}")

    def call(self, inputs):
        return inputs


class Refused(fjax.Model):
    """A model with such a layer."""

    def __init__(self):
        super().__init__()
        self.refusing = Refusing()

    def call(self, inputs):
        return self.refusing(inputs)


def fit(model):
    model.compile("sgd", "mse")
    model.fit(ONES, ONES, verbose=0)


MISTAKES = {
    "a layer on a tensor": lambda: Conv2D(3, 3)(fjax.Input((None, 3))),
    "an operator": lambda: fjax.Input((3,)) + fjax.Input((4,)),
    "a merge": lambda: Add()([fjax.Input((None, 3)), fjax.Input((None, 4))]),
    "an operation": lambda: fjax.ops.reshape(fjax.Input((7,)), (5,)),
    "a function": lambda: Lambda(lambda x: x.reshape(4, 5))(fjax.Input((3,))),
    "a Sequential": lambda: fjax.Sequential([fjax.Input((5, 4)), Dense(1), Conv2D(1, 1)]),
    "the output's shape": lambda: Conv2D(3, 3).compute_output_shape((None, 3)),
    "a layer's build": lambda: Conv2D(3, 3).build((None, None)),
    "an author's layer": lambda: Refusing()(fjax.Input((None, 3))),
    "an author's build": lambda: RefusingBuild()(fjax.Input((None, 3))),
    "a model's build": lambda: Refused().build((None, None, 3)),
    "predict": lambda: Refused().predict(ONES, verbose=0),
    "fit": lambda: fit(fjax.Sequential([Dense(2), Conv1D(2, 2)])),
    "an unbuilt model's output shape": lambda: fjax.Sequential(
        [Dense(2), Conv1D(2, 2)]
    ).compute_output_shape((None, 3)),
    "text": lambda: Embedding(3, 2)(fjax.Input((3,), dtype="string")),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_messages_show_none(name):
    with pytest.raises((ValueError, TypeError)) as caught:
        MISTAKES[name]()
    text = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert "None" in text
    assert not SIZES.search(text), text


def test_messages_that_differ_are_explained():
    def evaluate(which):
        raise ValueError("the first" if which == 0 else "another")

    with pytest.raises(ValueError, match="the first") as caught:
        at_placeholder_sizes(evaluate)
    assert "11, 256, 13, 512 may stand for axes of any size" in caught.value.__notes__[0]


def test_an_error_at_one_size_only_is_explained():
    def evaluate(which):
        if which == 0:
            raise ValueError("256 is too small")

    with pytest.raises(ValueError, match="256 is too small") as caught:
        at_placeholder_sizes(evaluate)
    assert "may stand for" in caught.value.__notes__[0]
    assert at_placeholder_sizes(evaluate, 1) is None


def test_sizes_of_the_user_stay():
    with pytest.raises(TypeError, match=r"\(None, 11\), \(None, 512\)"):
        fjax.Input((11,)) + fjax.Input((512,))
