"""Patches by a loop: the values, derivatives and batches of concatenated slices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax.lowering.patches import MIN_LOOP_CHANNELS, extract_patches, window_slices
from fjax.lowering.windows import Windows

pytestmark = pytest.mark.short

CASES = [
    ((3, 3), (2, 2), Windows((1, 1), (1, 1), ((0, 0), (0, 0)), "channels_last")),
    ((2, 3), (3, 2), Windows((2, 3), (2, 1), ((0, 0), (0, 0)), "channels_last")),
    ((2, 1, 2), (2, 4, 3), Windows((1, 1, 1), (1, 1, 2), ((0, 0),) * 3, "channels_last")),
]


def inputs(window, counts, windows):
    axes = zip(window, counts, windows.strides, windows.dilation, strict=True)
    space = [(count - 1) * stride + (w - 1) * d + 1 for w, count, stride, d in axes]
    shape = (2, *space, MIN_LOOP_CHANNELS)
    return jnp.asarray(np.random.default_rng(0).normal(size=shape), "float32")


def by_slices(values, window, counts, windows):
    return jnp.concatenate(window_slices(values, window, counts, windows), axis=-1)


@pytest.mark.parametrize("case", CASES)
def test_patches_and_their_derivatives_are_those_of_slices(case):
    values = inputs(*case)
    expected, pull_expected = jax.vjp(lambda v: by_slices(v, *case), values)
    patches, pull = jax.vjp(lambda v: extract_patches(v, *case), values)
    np.testing.assert_array_equal(patches, expected)
    np.testing.assert_array_equal(pull(patches)[0], pull_expected(patches)[0])
    pushed = jax.jvp(lambda v: extract_patches(v, *case), (values,), (values,))[1]
    np.testing.assert_array_equal(pushed, expected)
    batched = jax.vmap(lambda v: extract_patches(v, *case))(values[:, None])
    np.testing.assert_array_equal(batched[:, 0], expected)


def test_one_kernel_copies_all_entries_of_a_window():
    case = CASES[0]
    program = str(jax.make_jaxpr(lambda v: extract_patches(v, *case))(inputs(*case)))
    assert "concatenate" not in program and program.count(" dynamic_update_slice") == 1


def test_second_derivatives_pass_through_the_loop():
    case = CASES[0]
    values = inputs(*case)

    def total(v):
        return (extract_patches(v, *case) ** 3).sum()

    def expected(v):
        return (by_slices(v, *case) ** 3).sum()

    vector = jnp.ones_like(values)
    pushed = [jax.jvp(jax.grad(f), (values,), (vector,))[1] for f in (total, expected)]
    np.testing.assert_allclose(*pushed, rtol=1e-6)
