"""`python -m benchmarks.lowering.sequences`: candidates for embedding gradients and recurrences.

All candidates are compiled first, each as one program of many steps, and are then timed in turns.
The time of a step is the minimum over all turns, which a busy machine disturbs least.
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
    """Return the gradient of a table as JAX derives it."""
    _, vjp = jax.vjp(lambda table: lookup(table, ids), jnp.zeros((size, WIDTH)))
    return vjp(rows)[0]


def sorted_sum(ids: Any, rows: Any, size: int) -> Any:
    """Return the same from sorted ids, with the rows of equal ids summed."""
    order = jnp.argsort(ids.ravel())
    rows = rows.reshape(-1, WIDTH)[order]
    return jax.ops.segment_sum(rows, ids.ravel()[order], size, indices_are_sorted=True)


def one_hot(ids: Any, rows: Any, size: int) -> Any:
    """Return the same as a product with one-hot columns."""
    return jax.nn.one_hot(ids.ravel(), size).T @ rows.reshape(-1, WIDTH)


def as_layer(x: Any, weights: Any) -> Any:
    """Run the layer's scan: both products and the gates in each step."""
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
    """Multiply all inputs by the kernel before the scan."""
    kernel, recurrent_kernel, bias = weights
    projected = jnp.swapaxes(x, 0, 1) @ kernel + bias

    def step(states: Any, projected: Any) -> Any:
        i, f, g, o = jnp.split(projected + states[0] @ recurrent_kernel, 4, axis=-1)
        carry = jax.nn.sigmoid(f) * states[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(carry), carry), None

    zeros = jnp.zeros((BATCH, UNITS))
    return lax.scan(step, (zeros, zeros), projected)[0][0]


def one_tanh(x: Any, weights: Any) -> Any:
    """Like `hoisted`, with one `tanh` for all gates: `sigmoid(x)` is `(tanh(x / 2) + 1) / 2`."""
    return _one_tanh(x, *_halve_gates(weights))[0]


@jax.custom_vjp
def _lstm(x: Any, kernel: Any, bias: Any) -> Any:
    return _forward(x, kernel, bias)[0]


def by_hand(x: Any, weights: Any) -> Any:
    """Use one product and one `tanh` per step, and a hand-written backward scan."""
    kernel, recurrent_kernel, bias = _halve_gates(weights)
    return _lstm(jnp.swapaxes(x, 0, 1), jnp.concatenate([kernel, recurrent_kernel]), bias)


def _halve_gates(weights: Any) -> Any:
    """Return the weights with the columns of the sigmoid gates divided by 2."""
    factor = jnp.repeat(jnp.array([0.5, 0.5, 1.0, 0.5]), UNITS)
    return tuple(weight * factor for weight in weights)


def _gates(activated: Any) -> Any:
    i, f, g, o = jnp.split(activated, 4, axis=-1)
    return i * 0.5 + 0.5, f * 0.5 + 0.5, g, o * 0.5 + 0.5


def _one_tanh(x: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
    projected = jnp.swapaxes(x, 0, 1) @ kernel + bias

    def step(states: Any, projected: Any) -> Any:
        i, f, g, o = _gates(jnp.tanh(projected + states[0] @ recurrent_kernel))
        carry = f * states[1] + i * g
        return (o * jnp.tanh(carry), carry), None

    zeros = jnp.zeros((BATCH, UNITS))
    return lax.scan(step, (zeros, zeros), projected)[0]


def _forward(x: Any, kernel: Any, bias: Any) -> Any:
    def step(states: Any, values: Any) -> Any:
        hidden, carry = states
        activated = jnp.tanh(jnp.concatenate([values, hidden], axis=-1) @ kernel + bias)
        i, f, g, o = _gates(lax.optimization_barrier(activated))
        new_carry = f * carry + i * g
        return (o * jnp.tanh(new_carry), new_carry), (hidden, carry, activated)

    zeros = jnp.zeros((BATCH, UNITS))
    (hidden, carry), residuals = lax.scan(step, (zeros, zeros), x)
    return hidden, (x, kernel, residuals, carry)


def _backward(residuals: Any, d_hidden: Any) -> Any:
    x, kernel, (hiddens, carries, activations), carry = residuals

    def step(states: Any, entry: Any) -> Any:
        d_hidden, d_carry, new_carry, d_kernel, d_bias = states
        values, hidden, carry, activated = entry
        i, f, g, o = _gates(activated)
        squashed = jnp.tanh(new_carry)
        d_carry = lax.optimization_barrier(d_carry + d_hidden * o * (1 - squashed**2))
        parts = [d_carry * g / 2, d_carry * carry / 2, d_carry * i, d_hidden * squashed / 2]
        d = lax.optimization_barrier(jnp.concatenate(parts, axis=-1) * (1 - activated * activated))
        d_inputs = d @ kernel.T
        d_kernel = d_kernel + jnp.concatenate([values, hidden], axis=-1).T @ d
        next_states = d_inputs[:, WIDTH:], d_carry * f, carry, d_kernel, d_bias + d.sum(0)
        return next_states, d_inputs[:, :WIDTH]

    zeros = jnp.zeros_like(d_hidden), carry, jnp.zeros_like(kernel), jnp.zeros(4 * UNITS)
    entries = x, hiddens, carries, activations
    last, d_x = lax.scan(step, (d_hidden, *zeros), entries, reverse=True)
    return d_x, last[3], last[4]


_lstm.defvjp(_forward, _backward)


def table_gradient_programs(size: int) -> dict[str, Program]:
    """Return programs that compute many gradients of an embedding table with `size` rows."""
    random = np.random.default_rng(0)
    # The distribution of words in texts: a few are frequent.
    ids = jnp.asarray(random.zipf(1.3, (BATCH, TIME)) % size, "int32")
    rows = jnp.asarray(random.normal(size=(BATCH, TIME, WIDTH)), "float32")

    def program(gradient: Any) -> Program:
        def body(number: Any, total: Any) -> Any:
            return 0.5 * total + gradient((ids + number) % size, rows, size)

        run = jax.jit(lambda total: lax.fori_loop(0, STEPS, body, total))
        return lambda total: run(jnp.zeros((size, WIDTH)) if total is None else total)

    return {f.__name__: program(f) for f in (scatter_add, sorted_sum, one_hot)}


def lstm_programs(backwards: bool) -> dict[str, Program]:
    """Return programs of many passes through an LSTM, forward or forward and backward."""
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


def measure(programs: dict[str, Program]) -> dict[str, float]:
    """Return the milliseconds per step of each program, the minimum over the turns."""
    carries = {name: jax.block_until_ready(run(None)) for name, run in programs.items()}
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(TURNS):
        for name, run in programs.items():
            started = time.perf_counter()
            carries[name] = jax.block_until_ready(run(carries[name]))
            seconds[name].append(time.perf_counter() - started)
    return {name: min(turns) / STEPS * 1e3 for name, turns in seconds.items()}


def main() -> None:
    """Measure all candidates and print the tables."""
    large, small = (measure(table_gradient_programs(size)) for size in (10_000, 256))
    rows = [[name, f"{large[name]:.2f}", f"{small[name]:.2f}"] for name in large]
    print(table([["gradient of a table", "10,000 rows, ms", "256 rows, ms"], *rows]), flush=True)
    forward, both = measure(lstm_programs(False)), measure(lstm_programs(True))
    rows = [[name, f"{forward[name]:.2f}", f"{both[name]:.2f}"] for name in forward]
    print("\n" + table([["LSTM", "forward, ms", "forward and backward, ms"], *rows]))


if __name__ == "__main__":
    main()
