"""Merge layers compared with Keras, for random shapes and axes."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fjax import layers
from fjax.core.masking import split_mask, with_mask

pytestmark = pytest.mark.sampled(3, whole=True)

ELEMENTWISE = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"]
PAIRS = {"Subtract", "Dot"}

few = settings(max_examples=8, deadline=None, derandomize=True)
sizes = st.integers(1, 4)


def arrays(shapes, seed=0):
    random = np.random.default_rng(seed)
    return [random.normal(size=shape).astype("float32") for shape in shapes]


def compare(name, config, inputs):
    """Compare outputs, and gradients along one direction."""
    ours, theirs = getattr(layers, name)(**config), getattr(keras.layers, name)(**config)
    expected = np.asarray(theirs(inputs))
    outputs, _ = ours.apply({}, {}, *inputs)
    assert outputs.shape == expected.shape
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    direction = np.random.default_rng(1).normal(size=expected.shape).astype("float32")

    @jax.jit
    def both(inputs):
        own = jax.grad(lambda x: (ours.apply({}, {}, *x)[0] * direction).sum())(inputs)
        return own, jax.grad(lambda x: (theirs.call(x) * direction).sum())(inputs)

    our_gradients, their_gradients = both(inputs)
    for one, other in zip(our_gradients, their_gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@st.composite
def broadcastable(draw, count):
    """Draw shapes of one batch size and any ranks that broadcast against each other."""
    batch, whole = draw(sizes), draw(st.lists(sizes, min_size=0, max_size=3))
    shapes = []
    for _ in range(count):
        kept = whole[draw(st.integers(0, len(whole))) :]
        shapes.append((batch, *(1 if draw(st.booleans()) else size for size in kept)))
    return shapes


@pytest.mark.parametrize("name", ELEMENTWISE)
@few
@given(data=st.data())
def test_elementwise(name, data):
    count = 2 if name in PAIRS else data.draw(st.integers(2, 4))
    compare(name, {}, arrays(data.draw(broadcastable(count))))


@few
@given(data=st.data())
def test_concatenate(data):
    shape = data.draw(st.lists(sizes, min_size=2, max_size=4))
    axis = data.draw(st.integers(1, len(shape) - 1))
    widths = data.draw(st.lists(sizes, min_size=2, max_size=4))
    shapes = [(*shape[:axis], width, *shape[axis + 1 :]) for width in widths]
    axis = axis - len(shape) if data.draw(st.booleans()) else axis
    compare("Concatenate", {"axis": axis}, arrays(shapes))


@few
@given(data=st.data())
def test_dot(data):
    batch, along = data.draw(sizes), data.draw(sizes)
    shapes, axes = [], []
    for _ in range(2):
        rest = data.draw(st.lists(sizes, min_size=0, max_size=3))
        place = data.draw(st.integers(0, len(rest)))
        shapes.append((batch, *rest[:place], along, *rest[place:]))
        axes.append(1 + place - (len(rest) + 2 if data.draw(st.booleans()) else 0))
    config = {"axes": tuple(axes), "normalize": data.draw(st.booleans())}
    compare("Dot", config, arrays(shapes))


@pytest.mark.parametrize("axes", [1, -1, [1, 2], (-1, -2)])
def test_dot_accepts_one_axis_or_two(axes):
    shapes = [(2, 3, 3), (2, 3, 3)]
    compare("Dot", {"axes": axes}, arrays(shapes))


def test_gradients_at_equal_entries_are_those_of_keras():
    same = arrays([(4, 3)]) * 2
    for name in ("Maximum", "Minimum"):
        compare(name, {}, same)


@pytest.mark.parametrize("name", [*ELEMENTWISE, "Concatenate"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision(name, dtype):
    inputs = [jnp.asarray(one, dtype) for one in arrays([(4, 3), (4, 3)])]
    expected = getattr(keras.layers, name)(dtype=dtype)(inputs)
    outputs, _ = getattr(layers, name)().apply({}, {}, *inputs)
    assert outputs.dtype == expected.dtype == dtype
    np.testing.assert_array_equal(np.asarray(outputs, "float32"), np.asarray(expected, "float32"))


@pytest.mark.parametrize(
    ("name", "config"),
    [
        *((name.lower(), {}) for name in ELEMENTWISE),
        ("concatenate", {}),
        ("concatenate", {"axis": 1}),
        ("dot", {}),
        ("dot", {"axes": (1, 2), "normalize": True}),
    ],
)
def test_functions_call_the_layer_on_the_list(name, config):
    inputs = arrays([(4, 3, 3), (4, 3, 3)])
    expected = getattr(keras.layers, name)(inputs, **config)
    np.testing.assert_allclose(getattr(layers, name)(inputs, **config), expected, rtol=1e-5)


@pytest.mark.parametrize("name", [*ELEMENTWISE, "Concatenate"])
@pytest.mark.parametrize("masked", [(True, True, True), (True, False, True), (False, True, False)])
@pytest.mark.parametrize("narrow", [False, True])
def test_masked_inputs(name, masked, narrow):
    count = 2 if name in PAIRS else 3
    shapes = [(4, 5, 3)] * count
    if narrow and name != "Concatenate":
        shapes[1] = (4, 3)
    # Keras cannot combine the masks of inputs whose masks have other axes.
    inputs, masked = (
        arrays(shapes),
        [on and len(s) == 3 for on, s in zip(masked, shapes, strict=False)],
    )
    random = np.random.default_rng(2)
    masks = [
        jnp.asarray(random.random(x.shape[:-1]) > 0.5) if on else None
        for x, on in zip(inputs, masked, strict=True)
    ]
    given = [jnp.asarray(x) for x in inputs]
    for array, mask in zip(given, masks, strict=True):
        if mask is not None:
            keras.src.backend.set_keras_mask(array, mask)
    expected = getattr(keras.layers, name)()(given)
    outputs, _ = getattr(layers, name)().apply({}, {}, *map(with_mask, inputs, masks))
    values, mask = split_mask(outputs)
    np.testing.assert_allclose(values, expected, rtol=1e-6)
    expected_mask = keras.src.backend.get_keras_mask(expected)
    assert (mask is None) == (expected_mask is None)
    if mask is not None:
        np.testing.assert_array_equal(mask, expected_mask)
