"""Convolutions beside XLA's own."""

import functools
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from fjax import lowering

# Shapes of inputs and kernel; strides, padding, dilation, groups and data format where not plain.
CASES = {
    "plain": ((2, 6, 5, 3), (3, 2, 3, 4), {}),
    "one place": ((2, 5, 5, 3), (1, 1, 3, 4), {"strides": (2, 2)}),
    "strides": ((2, 7, 6, 3), (3, 2, 3, 4), {"strides": (2, 3), "padding": "same"}),
    "dilation": ((2, 9, 3), (3, 3, 4), {"dilation": (2,), "padding": "causal"}),
    "groups": ((2, 5, 6, 4), (2, 3, 2, 6), {"groups": 2, "padding": "same"}),
    "depthwise": ((2, 5, 6, 3), (3, 3, 1, 6), {"groups": 3, "strides": (2, 1)}),
    "channels first": ((2, 3, 6, 5), (3, 2, 3, 4), {"data_format": "channels_first"}),
    "volume": ((2, 3, 4, 5, 2), (2, 2, 3, 2, 3), {"padding": "same"}),
}
every_case = pytest.mark.parametrize("case", CASES)


def drawn(case):
    """The inputs, the kernel, ours and XLA's convolution."""
    shape, kernel_shape, given = CASES[case]
    rank = len(shape) - 2
    options = {"strides": (1,) * rank, "padding": "valid", "dilation": (1,) * rank} | given
    random = np.random.default_rng(0)
    inputs = jnp.asarray(random.normal(size=shape), "float32")
    kernel = jnp.asarray(random.normal(size=kernel_shape), "float32")
    return inputs, kernel, functools.partial(lowering.convolution, **options), by_xla(**options)


def by_xla(strides, padding, dilation, groups=1, data_format="channels_last"):
    def convolve(inputs, kernel):
        space = "DHW"[-len(strides) :]
        layout = f"N{space}C" if data_format == "channels_last" else f"NC{space}"
        around = padding.upper()
        if padding == "causal":
            around = [((kernel.shape[0] - 1) * dilation[0], 0)]
        return lax.conv_general_dilated(
            inputs, kernel, strides, around, rhs_dilation=dilation,
            dimension_numbers=(layout, f"{space}IO", layout), feature_group_count=groups,
        )  # fmt: skip

    return convolve


def close(ours, expected, tolerance=1e-5):
    for one, other in zip(jax.tree.leaves(ours), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(
            np.asarray(one, "float32"), np.asarray(other, "float32"), tolerance, tolerance * 10
        )


def everything(convolve):
    """The outputs, the gradients, and how those change along a direction: forward over reverse."""

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
    inputs, kernel, ours, theirs = drawn(case)
    close(everything(ours)(inputs, kernel), everything(theirs)(inputs, kernel), 1e-4)


@pytest.mark.parametrize("case", ["plain", "depthwise", "groups"])
def test_each_of_a_stack_has_its_own_kernel(case):
    inputs, kernel, ours, _ = drawn(case)
    kernels = jnp.stack([kernel, 2 * kernel])
    many = jax.vmap(ours, in_axes=(None, 0))(inputs, kernels)
    close(many, jnp.stack([ours(inputs, one) for one in kernels]))


def test_half_the_precision():
    inputs, kernel, ours, theirs = drawn("strides")
    rough = ours(inputs.astype(jnp.bfloat16), kernel.astype(jnp.bfloat16))
    assert rough.dtype == jnp.bfloat16
    close(rough, theirs(inputs, kernel), 0.05)
    assert ours(jnp.ones((2, 7, 6, 3), "uint8"), kernel).dtype == jnp.float32


def test_huge_patches_are_made_a_part_of_the_batch_at_a_time(monkeypatch):
    inputs, kernel, ours, theirs = drawn("plain")
    inputs = jnp.concatenate([inputs, 2 * inputs, 3 * inputs])
    # One sample has 4 * 4 windows of 18 values; two are under the limit, and three parts it takes.
    monkeypatch.setattr(sys.modules["fjax.lowering.convolution"], "MOST_VALUES", 600)
    jax.clear_caches()
    program = jax.make_jaxpr(ours)(inputs, kernel)
    assert "length=3" in str(program)
    close(everything(ours)(inputs, kernel), everything(theirs)(inputs, kernel), 1e-4)
    jax.clear_caches()


def test_a_kernel_of_too_many_places_is_left_to_the_library():
    kernel = jnp.ones((200, 2, 1))
    convolve = functools.partial(lowering.convolution, strides=(1,), padding="same", dilation=(1,))
    program = str(jax.make_jaxpr(convolve)(jnp.ones((1, 300, 2)), kernel))
    assert "conv_general_dilated" in program
    assert "concatenate" not in program


def test_the_platform_decides_when_the_program_is_lowered():
    inputs, kernel, ours, _ = drawn("plain")
    traced = jax.jit(ours).trace(inputs, kernel)
    assert "stablehlo.convolution" not in traced.lower(lowering_platforms=("cpu",)).as_text()
    assert "stablehlo.convolution" in traced.lower(lowering_platforms=("cuda",)).as_text()
    assert "dot_general" not in traced.lower(lowering_platforms=("tpu",)).as_text()
