"""Convolution compared with XLA's own."""

import functools
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from fjax import lowering

# The shapes of inputs and kernel, and the options that differ from the defaults.
CASES = {
    "plain": ((2, 6, 5, 3), (3, 2, 3, 4), {}),
    "1 x 1": ((2, 5, 5, 3), (1, 1, 3, 4), {"strides": (2, 2)}),
    "strides": ((2, 7, 6, 3), (3, 2, 3, 4), {"strides": (2, 3), "padding": "same"}),
    "dilation": ((2, 9, 3), (3, 3, 4), {"dilation": (2,), "padding": "causal"}),
    "groups": ((2, 5, 6, 4), (2, 3, 2, 6), {"groups": 2, "padding": "same"}),
    "depthwise": ((2, 5, 6, 3), (3, 3, 1, 6), {"groups": 3, "strides": (2, 1)}),
    "channels first": ((2, 3, 6, 5), (3, 2, 3, 4), {"data_format": "channels_first"}),
    "volume": ((2, 3, 4, 5, 2), (2, 2, 3, 2, 3), {"padding": "same"}),
}
every_case = pytest.mark.parametrize("case", CASES)


def make_case(case):
    """Return random inputs, a random kernel, our convolution and XLA's."""
    shape, kernel_shape, changes = CASES[case]
    rank = len(shape) - 2
    options = {"strides": (1,) * rank, "padding": "valid", "dilation": (1,) * rank} | changes
    random = np.random.default_rng(0)
    inputs = jnp.asarray(random.normal(size=shape), "float32")
    kernel = jnp.asarray(random.normal(size=kernel_shape), "float32")
    return inputs, kernel, functools.partial(lowering.convolution, **options), xla(**options)


def xla(strides, padding, dilation, groups=1, data_format="channels_last"):
    def convolve(inputs, kernel):
        space = "DHW"[-len(strides) :]
        layout = f"N{space}C" if data_format == "channels_last" else f"NC{space}"
        pads = padding.upper()
        if padding == "causal":
            pads = [((kernel.shape[0] - 1) * dilation[0], 0)]
        return lax.conv_general_dilated(
            inputs, kernel, strides, pads, rhs_dilation=dilation,
            dimension_numbers=(layout, f"{space}IO", layout), feature_group_count=groups,
        )  # fmt: skip

    return convolve


def assert_close(actual, expected, tolerance=1e-5):
    for a, b in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(
            np.asarray(a, "float32"), np.asarray(b, "float32"), tolerance, tolerance * 10
        )


def outputs_and_derivatives(convolve):
    """Return a function for the outputs, the gradients, and their derivative in one direction."""

    def loss(inputs, kernel):
        return jnp.sum(jnp.sin(convolve(inputs, kernel)))

    gradients = jax.grad(loss, argnums=(0, 1))

    @jax.jit
    def run(inputs, kernel):
        directions = jnp.cos(inputs), jnp.cos(kernel)
        return convolve(inputs, kernel), jax.jvp(gradients, (inputs, kernel), directions)

    return run


@every_case
def test_values_gradients_and_second_derivatives(case):
    inputs, kernel, ours, theirs = make_case(case)
    assert_close(
        outputs_and_derivatives(ours)(inputs, kernel),
        outputs_and_derivatives(theirs)(inputs, kernel),
        1e-4,
    )


@pytest.mark.parametrize("case", ["plain", "depthwise", "groups"])
def test_vmap_over_kernels(case):
    inputs, kernel, ours, _ = make_case(case)
    kernels = jnp.stack([kernel, 2 * kernel])
    outputs = jax.vmap(ours, in_axes=(None, 0))(inputs, kernels)
    assert_close(outputs, jnp.stack([ours(inputs, kernel) for kernel in kernels]))


def test_half_precision_and_integers():
    inputs, kernel, ours, theirs = make_case("strides")
    outputs = ours(inputs.astype(jnp.bfloat16), kernel.astype(jnp.bfloat16))
    assert outputs.dtype == jnp.bfloat16
    assert_close(outputs, theirs(inputs, kernel), 0.05)
    assert ours(jnp.ones((2, 7, 6, 3), "uint8"), kernel).dtype == jnp.float32


def test_large_patches_are_computed_for_a_part_of_the_batch_at_a_time(monkeypatch):
    inputs, kernel, ours, theirs = make_case("plain")
    inputs = jnp.concatenate([inputs, 2 * inputs, 3 * inputs])
    # A sample has 4 * 4 windows of 18 values: two samples are near the size, so six make 3 parts.
    module = sys.modules["fjax.lowering.convolution"]
    monkeypatch.setattr(module, "PART_VALUES", 600)
    jax.clear_caches()
    assert "length=" not in str(jax.make_jaxpr(ours)(inputs, kernel))
    monkeypatch.setattr(module, "MAX_PATCH_VALUES", 600)
    jax.clear_caches()
    assert "length=3" in str(jax.make_jaxpr(ours)(inputs, kernel))
    assert_close(
        outputs_and_derivatives(ours)(inputs, kernel),
        outputs_and_derivatives(theirs)(inputs, kernel),
        1e-4,
    )
    jax.clear_caches()


def test_a_large_kernel_uses_the_convolution_of_xla():
    kernel = jnp.ones((200, 2, 1))
    convolve = functools.partial(lowering.convolution, strides=(1,), padding="same", dilation=(1,))
    program = str(jax.make_jaxpr(convolve)(jnp.ones((1, 300, 2)), kernel))
    assert "conv_general_dilated" in program
    assert "concatenate" not in program


def test_the_platform_is_chosen_at_lowering():
    inputs, kernel, ours, _ = make_case("plain")
    traced = jax.jit(ours).trace(inputs, kernel)
    assert "stablehlo.convolution" not in traced.lower(lowering_platforms=("cpu",)).as_text()
    assert "stablehlo.convolution" in traced.lower(lowering_platforms=("cuda",)).as_text()
    assert "dot_general" not in traced.lower(lowering_platforms=("tpu",)).as_text()
