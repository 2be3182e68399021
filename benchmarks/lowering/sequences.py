"""`python -m benchmarks.lowering.sequences`: candidates for what `fjax.lowering` does for texts.

All candidates are compiled first, each as one program of many steps, and then take turns. The time
of a step is the least of all turns, which a busy machine disturbs least.
"""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.tables import table
from fjax.lowering import lookup, recurrence

WIDTH, UNITS = 32, 32
BATCH, TIME = 128, 40
STEPS, TURNS = 10, 10

Program = Callable[[Any], Any]


def scatter_add(ids: Any, rows: Any, size: int) -> Any:
    """The gradient of a table as JAX derives it."""
    _, pull = jax.vjp(lambda table: lookup(table, ids), jnp.zeros((size, WIDTH)))
    return pull(rows)[0]


def sorted_sum(ids: Any, rows: Any, size: int) -> Any:
    """The ids sorted, and the rows of equal ids summed."""
    order = jnp.argsort(ids.ravel())
    rows = rows.reshape(-1, WIDTH)[order]
    return jax.ops.segment_sum(rows, ids.ravel()[order], size, indices_are_sorted=True)


def one_hot(ids: Any, rows: Any, size: int) -> Any:
    """A product with the ids as columns of zeros and ones."""
    return jax.nn.one_hot(ids.ravel(), size).T @ rows.reshape(-1, WIDTH)


def as_layer(x: Any, weights: Any) -> Any:
    """The scan of the layer: both products and the gates in each step."""
    kernel, recurrent_kernel, bias = weights

    def step(values: Any, states: Any, kept: Any) -> Any:
        parts = values @ kernel + states[0] @ recurrent_kernel + bias
        i, f, g, o = jnp.split(parts, 4, axis=-1)
        carry = jax.nn.sigmoid(f) * states[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
        hidden = jax.nn.sigmoid(o) * jnp.tanh(carry)
        return hidden, [hidden, carry], kept

    zeros = jnp.zeros((BATCH, UNITS))
    return recurrence(step, x, [zeros, zeros], sequences=False).outputs


def hoisted(x: Any, weights: Any) -> Any:
    """The product of all inputs with the kernel before the scan."""
    kernel, recurrent_kernel, bias = weights
    entering = jnp.swapaxes(x, 0, 1) @ kernel + bias

    def step(states: Any, entering: Any) -> Any:
        i, f, g, o = jnp.split(entering + states[0] @ recurrent_kernel, 4, axis=-1)
        carry = jax.nn.sigmoid(f) * states[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(carry), carry), None

    zeros = jnp.zeros((BATCH, UNITS))
    return lax.scan(step, (zeros, zeros), entering)[0][0]


def one_tanh(x: Any, weights: Any) -> Any:
    """Hoisted, and all gates by one `tanh`, as `sigmoid(x)` is `(tanh(x / 2) + 1) / 2`."""
    return _one_tanh(x, *_halved(weights))[0]


@jax.custom_vjp
def _by_hand(x: Any, kernel: Any, bias: Any) -> Any:
    return _in_step(x, kernel, bias)[0]


def by_hand(x: Any, weights: Any) -> Any:
    """One product a step, one `tanh`, and a backward scan written by hand."""
    kernel, recurrent_kernel, bias = _halved(weights)
    return _by_hand(jnp.swapaxes(x, 0, 1), jnp.concatenate([kernel, recurrent_kernel]), bias)


def _halved(weights: Any) -> Any:
    factor = jnp.repeat(jnp.array([0.5, 0.5, 1.0, 0.5]), UNITS)
    return tuple(weight * factor for weight in weights)


def _gates(t: Any) -> Any:
    i, f, g, o = jnp.split(t, 4, axis=-1)
    return i * 0.5 + 0.5, f * 0.5 + 0.5, g, o * 0.5 + 0.5


def _one_tanh(x: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
    entering = jnp.swapaxes(x, 0, 1) @ kernel + bias

    def step(states: Any, entering: Any) -> Any:
        i, f, g, o = _gates(jnp.tanh(entering + states[0] @ recurrent_kernel))
        carry = f * states[1] + i * g
        return (o * jnp.tanh(carry), carry), None

    zeros = jnp.zeros((BATCH, UNITS))
    return lax.scan(step, (zeros, zeros), entering)[0]


def _in_step(x: Any, kernel: Any, bias: Any) -> Any:
    def step(states: Any, values: Any) -> Any:
        hidden, carry = states
        t = jnp.tanh(jnp.concatenate([values, hidden], axis=-1) @ kernel + bias)
        i, f, g, o = _gates(lax.optimization_barrier(t))
        after = f * carry + i * g
        return (o * jnp.tanh(after), after), (hidden, carry, t)

    zeros = jnp.zeros((BATCH, UNITS))
    (hidden, carry), kept = lax.scan(step, (zeros, zeros), x)
    return hidden, (x, kernel, kept, carry)


def _backwards(kept: Any, d_hidden: Any) -> Any:
    x, kernel, (hiddens, carries, ts), carry = kept

    def step(states: Any, entry: Any) -> Any:
        d_hidden, d_carry, after, d_kernel, d_bias = states
        values, hidden, carry, t = entry
        i, f, g, o = _gates(t)
        squashed = jnp.tanh(after)
        d_carry = lax.optimization_barrier(d_carry + d_hidden * o * (1 - squashed**2))
        parts = [d_carry * g / 2, d_carry * carry / 2, d_carry * i, d_hidden * squashed / 2]
        d = lax.optimization_barrier(jnp.concatenate(parts, axis=-1) * (1 - t * t))
        both = d @ kernel.T
        d_kernel = d_kernel + jnp.concatenate([values, hidden], axis=-1).T @ d
        next_states = both[:, WIDTH:], d_carry * f, carry, d_kernel, d_bias + d.sum(0)
        return next_states, both[:, :WIDTH]

    zeros = jnp.zeros_like(d_hidden), carry, jnp.zeros_like(kernel), jnp.zeros(4 * UNITS)
    last, d_x = lax.scan(step, (d_hidden, *zeros), (x, hiddens, carries, ts), reverse=True)
    return d_x, last[3], last[4]


_by_hand.defvjp(_in_step, _backwards)


def gradients_of_a_table(size: int) -> dict[str, Program]:
    """Return programs of many gradients of an embedding of a vocabulary of this size."""
    random = np.random.default_rng(0)
    # As words in texts: few are frequent.
    ids = jnp.asarray(random.zipf(1.3, (BATCH, TIME)) % size, "int32")
    rows = jnp.asarray(random.normal(size=(BATCH, TIME, WIDTH)), "float32")

    def program(gradient: Any) -> Program:
        def body(number: Any, total: Any) -> Any:
            return 0.5 * total + gradient((ids + number) % size, rows, size)

        run = jax.jit(lambda total: lax.fori_loop(0, STEPS, body, total))
        return lambda total: run(jnp.zeros((size, WIDTH)) if total is None else total)

    return {f.__name__: program(f) for f in (scatter_add, sorted_sum, one_hot)}


def steps_of_lstm(backwards: bool) -> dict[str, Program]:
    """Return programs of many passes through an LSTM, forwards or both ways."""
    random = np.random.default_rng(0)
    x = jnp.asarray(random.normal(size=(BATCH, TIME, WIDTH)), "float32")
    weights = tuple(
        jnp.asarray(random.normal(size=shape) / 10, "float32")
        for shape in ((WIDTH, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,))
    )

    def program(lstm: Any) -> Program:
        def loss(weights: Any, x: Any) -> Any:
            return jnp.sum(lstm(x, weights) ** 2)

        def body(number: Any, carry: Any) -> Any:
            weights, x = carry
            if not backwards:
                return weights, x + 1e-6 * loss(weights, x)
            steps = jax.grad(loss, argnums=(0, 1))(weights, x)
            return jax.tree.map(lambda a, d: a - 1e-6 * d, carry, steps)

        run = jax.jit(lambda carry: lax.fori_loop(0, STEPS, body, carry))
        return lambda carry: run((weights, x) if carry is None else carry)

    return {f.__name__: program(f) for f in (as_layer, hoisted, one_tanh, by_hand)}


def least(programs: dict[str, Program]) -> dict[str, float]:
    """Return the milliseconds of a step of each program."""
    carried = {name: jax.block_until_ready(run(None)) for name, run in programs.items()}
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(TURNS):
        for name, run in programs.items():
            started = time.perf_counter()
            carried[name] = jax.block_until_ready(run(carried[name]))
            taken[name].append(time.perf_counter() - started)
    return {name: min(seconds) / STEPS * 1e3 for name, seconds in taken.items()}


def main() -> None:
    """Measure, and print the tables."""
    large, small = (least(gradients_of_a_table(size)) for size in (10_000, 256))
    rows = [[name, f"{large[name]:.2f}", f"{small[name]:.2f}"] for name in large]
    print(table([["gradient of a table", "10,000 rows, ms", "256 rows, ms"], *rows]), flush=True)
    forwards, both = least(steps_of_lstm(False)), least(steps_of_lstm(True))
    rows = [[name, f"{forwards[name]:.2f}", f"{both[name]:.2f}"] for name in forwards]
    print("\n" + table([["LSTM", "forwards, ms", "and backwards, ms"], *rows]))


if __name__ == "__main__":
    main()
