"""Seeds: from an integer, a `SeedGenerator` or None to a JAX key."""

import random
from typing import Any

import jax
import jax.numpy as jnp

from fjax.errors import is_integer, seed_of
from fjax.typing import Array, Key
from fjax.variable import Variable, current_scope


class SeedGenerator:
    """A source of random numbers that gives other ones at each call.

    Its state is a `Variable`: the seed, and the number of calls. As the attribute of an authored
    layer, it takes its keys from the key of each pass instead, so that the layer stays pure; the
    seed then makes the draws differ from those of other layers. So it does in a model's step and in
    `compute_loss`, from the key of the step.

    Args:
        seed: From 0 to 2**32 - 1; None draws one from Python's `random`.
        name: The name, by default "seed_generator".

    Raises:
        ValueError: The seed is not such an integer.

    Source: Keras's page "SeedGenerator class".

    >>> generator = SeedGenerator(42)
    >>> generator.next().tolist(), generator.next().tolist(), generator.state.numpy().tolist()
    ([42, 0], [42, 1], [42, 2])
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.initial_seed = None if seed is None else seed_of("SeedGenerator", seed)
        self.name = "seed_generator" if name is None else name
        start = random.randint(1, 10**9) if seed is None else seed
        self.state = Variable(
            jnp.array([start, 0], "uint32"), trainable=False, name="seed_generator_state"
        )

    def next(self, ordered: bool = True) -> Array:
        """Return the state, and advance it.

        Args:
            ordered: Whether the number of calls is counted; else the state is scrambled, as Keras
                does with the generator for `seed=None`.

        Raises:
            RuntimeError: JAX traces a function, outside of a `StatelessScope`: the state would be
                the same in each call of the compiled program.
        """
        scope = current_scope()
        if scope is not None and scope.get_current_value(self.state) is None:
            key = scope.next_key()
            if key is not None:
                return jax.random.key_data(jax.random.fold_in(key, self.initial_seed or 0))
        state = self.state.value
        following = state + jnp.array([0, 1], "uint32") if ordered else (state + 1) * 5387 % 933199
        try:
            self.state.assign(following)
        except RuntimeError:
            raise RuntimeError(
                f"The state of the `SeedGenerator` {self.name!r} cannot change while JAX traces a "
                "function. Make it an attribute of an authored layer, give an integer as the seed, "
                "or run the function within `fjax.StatelessScope`."
            ) from None
        return state

    def get_config(self) -> dict[str, Any]:
        """Return the seed and the name."""
        return {"seed": self.initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SeedGenerator":
        """Return a generator with this configuration."""
        return cls(**config)


class PassGenerator:
    """A `SeedGenerator` during one pass of an authored layer, whose key its own keys follow from.

    Args:
        generator: The generator.
        key: The key of the pass, or None.
        position: The number of the generator in the layer.
    """

    def __init__(self, generator: SeedGenerator, key: Key | None, position: int) -> None:
        self.generator = generator
        self.name = generator.name
        self._calls = 0
        self._key = key
        if key is not None:
            # Layers have positions, too: the constant keeps the two apart.
            folded = jax.random.fold_in(jax.random.fold_in(key, 0x5EED), position)
            self._key = jax.random.fold_in(folded, generator.initial_seed or 0)

    def next_key(self) -> Key:
        """Return a new key.

        Raises:
            ValueError: The pass has no key.
        """
        if self._key is None:
            raise ValueError(
                f"The `SeedGenerator` {self.name!r} draws random numbers and needs a key: "
                "`layer.apply(params, state, inputs, key=jax.random.key(0))`."
            )
        self._calls += 1
        return jax.random.fold_in(self._key, self._calls)

    def next(self, ordered: bool = True) -> Array:
        """Return the data of a new key."""
        return jax.random.key_data(self.next_key())


def key_of(owner: str, seed: Any) -> Key:
    """Return the JAX key for a seed.

    Args:
        owner: The function that an error names.
        seed: An integer, a `SeedGenerator`, a JAX key, or None.

    Raises:
        ValueError: The seed is none of these.
        RuntimeError: The seed is None, or a generator, while JAX traces a function: each call of
            the compiled program would give the same numbers.
    """
    if isinstance(seed, PassGenerator):
        return seed.next_key()
    if isinstance(seed, SeedGenerator):
        return _wrap(seed.next())
    if isinstance(seed, jax.Array):
        return seed if jax.dtypes.issubdtype(seed.dtype, jax.dtypes.prng_key) else _wrap(seed)
    if seed is None:
        return _wrap(_global_generator(owner).next(ordered=False))
    if not is_integer(seed):
        raise ValueError(
            f"`{owner}`: `seed` must be an integer, a `SeedGenerator` or None, received {seed!r}."
        )
    return _wrap(jnp.array([seed_of(owner, seed), 0], "uint32"))


def _wrap(data: Array) -> Key:
    return jax.random.wrap_key_data(data, impl="threefry2x32")


_GLOBAL: list[SeedGenerator] = []


def _global_generator(owner: str) -> SeedGenerator:
    if isinstance(jnp.zeros(()) + 0, jax.core.Tracer):
        raise RuntimeError(
            f"`{owner}` has no seed, while JAX traces a function: each call of the compiled "
            "program would give the same numbers. In an authored layer, write "
            "`self.seed_generator = fjax.random.SeedGenerator(1)` in `__init__`, and give "
            "`seed=self.seed_generator`."
        )
    if not _GLOBAL:
        _GLOBAL.append(SeedGenerator(name="global_seed_generator"))
    return _GLOBAL[0]


def forget_global_generator() -> None:
    """Make the next call without a seed begin with a seed from Python's `random`."""
    _GLOBAL.clear()
