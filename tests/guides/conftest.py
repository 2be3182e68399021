"""Run one program with Keras and with fjax, and compare all numbers that it returns."""

import jax
import keras
import numpy as np
import pytest

import fjax


def wave(shape, start=0):
    """Return numbers between -0.4 and 0.4 that are the same in each run."""
    count = int(np.prod(shape))
    return (0.4 * np.sin(1.7 * np.arange(start, start + count))).reshape(shape).astype("float32")


def fill(part):
    """Set the kernels of a model or layer to the same numbers in both libraries; return it."""
    weights = part.get_weights()
    part.set_weights(
        [wave(w.shape, i) if w.ndim > 1 else w + 0.1 * i for i, w in enumerate(weights)]
    )
    return part


def compare(program, rtol=2e-5, atol=2e-6):
    """Run `program(library)` with both libraries; raise unless what they return is equal.

    Returns:
        The numbers of fjax, for assertions that both must fulfill.
    """
    keras.utils.clear_session()
    theirs = program(keras)
    ours = program(fjax)
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    for path, expected in jax.tree.leaves_with_path(theirs):
        number = ours
        for key in path:
            number = number[getattr(key, "key", getattr(key, "idx", None))]
        where = jax.tree_util.keystr(path)
        if isinstance(expected, str | bool | None):
            assert number == expected, where
        else:
            number, expected = np.asarray(number), np.asarray(expected)
            assert number.shape == expected.shape, where
            np.testing.assert_allclose(number, expected, rtol=rtol, atol=atol, err_msg=where)
    return ours


@pytest.fixture(name="compare")
def compare_fixture():
    return compare


@pytest.fixture(name="fill")
def fill_fixture():
    return fill


@pytest.fixture(scope="session")
def data():
    """64 samples of 8 features, and their classes among 3."""
    x = wave((64, 8), 5)
    return x, (np.abs(x).sum(axis=1) * 10).astype("int32") % 3
