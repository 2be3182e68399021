"""Properties of all optimizers."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from fjax import optimizers
from fjax.optimizers import (
    SGD,
    Optimizer,
)
from tests.optimizers.cases import (
    OPTIMIZERS,
    Momentum,
    check_close,
    descend,
    draw,
    every_optimizer,
    make,
)


class TestEveryOptimizer:
    def test_the_cases_include_all_optimizers(self):
        public = {
            member
            for member in vars(optimizers).values()
            if inspect.isclass(member) and issubclass(member, Optimizer)
        }
        assert public - {Optimizer} <= {cls for cls, *_ in OPTIMIZERS.values()}

    @every_optimizer
    def test_minimizes_a_parabola(self, case):
        rate = OPTIMIZERS[case][2]
        target = {"a": jnp.array([1.0, -2.0, 3.0]), "b": jnp.float32(0.5)}

        def parabola(params):
            return sum(jnp.sum((params[name] - target[name]) ** 2) for name in target)

        start = jax.tree.map(jnp.zeros_like, target)
        check_close(descend(make(case, learning_rate=rate), parabola, start, 8000), target, 0, 2e-2)

    @every_optimizer
    def test_minimizes_rosenbrocks_function(self, case):
        rate = OPTIMIZERS[case][3]

        def rosenbrock(params):
            x, y = params["point"]
            return (1 - x) ** 2 + 100 * (y - x**2) ** 2

        start = {"point": jnp.array([-0.5, 0.5])}
        optimizer = make(case, learning_rate=rate)
        result = descend(optimizer, rosenbrock, start, 20_000)
        assert rosenbrock(result) < 1e-2 < rosenbrock(start)

    @every_optimizer
    def test_another_learning_rate_does_not_compile_again(self, case):
        optimizer, params = make(case), draw()
        update = jax.jit(optimizer.update)
        _, opt_state = update(draw(1), optimizer.init(params), params)
        updates, opt_state = update(draw(2), opt_state, params)
        faster = opt_state._replace(learning_rate=jnp.float32(0.2))
        faster_updates, opt_state = update(draw(2), faster, params)
        assert update._cache_size() == 1
        assert opt_state.learning_rate == np.float32(0.2)
        assert not np.array_equal(updates["dense"]["bias"], faster_updates["dense"]["bias"])

    @every_optimizer
    def test_update_takes_the_learning_rate_from_the_state(self, case):
        optimizer, other, params = make(case), make(case, learning_rate=0.7), draw()
        opt_state = optimizer.init(params)
        check_close(
            optimizer.update(draw(1), opt_state, params),
            other.update(draw(1), opt_state, params),
            0,
            0,
        )
        assert str(jax.make_jaxpr(optimizer.update)(params, opt_state, params)) == str(
            jax.make_jaxpr(other.update)(params, opt_state, params)
        )

    @every_optimizer
    def test_vmap_over_learning_rates(self, case):
        optimizer, params, rates = make(case), draw(), jnp.array([0.0, 0.01, 0.1])

        def train(rate):
            opt_state = optimizer.init(params)._replace(learning_rate=rate)
            for step in range(3):
                updates, opt_state = optimizer.update(draw(step), opt_state, params)
            # Compare params, since an update may be a small difference of two params.
            return jax.tree.map(jnp.add, params, updates), opt_state

        swept, single = jax.jit(jax.vmap(train))(rates), jax.jit(train)
        for index, rate in enumerate(rates):
            check_close(jax.tree.map(lambda leaf, i=index: leaf[i], swept), single(rate))

    @every_optimizer
    def test_jit_equals_eager(self, case):
        optimizer, params = make(case, weight_decay=0.1), draw()
        opt_state = optimizer.init(params)
        check_close(jax.jit(optimizer.init)(params), opt_state, 0, 0)
        # A rounding error of beta ** step is 6e-5 relative to 1 - beta ** step.
        for step in range(3):
            eager = optimizer.update(draw(step), opt_state, params)
            jitted = jax.jit(optimizer.update)(draw(step), opt_state, params)
            # Compare params, since an update may be a small difference of two params.
            results = [
                (jax.tree.map(jnp.add, params, updates), after)
                for updates, after in (jitted, eager)
            ]
            check_close(*results, 1e-5, 1e-7)
            opt_state = eager[1]

    @every_optimizer
    @pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
    def test_update_keeps_structure_shapes_and_dtypes(self, case, dtype):
        optimizer = make(case, weight_decay=0.1)
        params = jax.tree.map(lambda leaf: leaf.astype(dtype), draw())
        opt_state = optimizer.init(params)
        updates, next_state = jax.eval_shape(optimizer.update, params, opt_state, params)

        def describe(tree):
            return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype, leaf.weak_type), tree)

        assert describe(updates) == describe(params)
        assert describe(next_state) == describe(opt_state)
        assert describe(jax.eval_shape(optimizer.init, params)) == describe(opt_state)
        for tree in opt_state.slots.values():
            # A param without this slot has None.
            full_tree = jax.tree.map(lambda leaf: 0, tree, is_leaf=lambda leaf: leaf is None)
            assert jax.tree.structure(full_tree) == jax.tree.structure(params)
        assert (opt_state.step.dtype, opt_state.learning_rate.dtype) == (jnp.int32, jnp.float32)

    @every_optimizer
    def test_the_state_can_be_donated(self, case):
        optimizer, params = make(case), draw()
        update = jax.jit(optimizer.update, donate_argnums=1)
        opt_state = optimizer.init(params)
        for step in range(3):
            _, opt_state = update(draw(step), opt_state, params)
        assert opt_state.step == 3

    @every_optimizer
    @pytest.mark.parametrize("empty", [{}, (), {"dense": {}}, None])
    def test_an_empty_tree_can_be_trained(self, case, empty):
        optimizer = make(case, weight_decay=0.1)
        updates, opt_state = optimizer.update(empty, optimizer.init(empty), empty)
        assert (updates, int(opt_state.step)) == (empty, 1)

    @pytest.mark.parametrize("clipping", ["clipnorm", "clipvalue", "global_clipnorm"])
    def test_an_empty_tree_can_be_clipped(self, clipping):
        optimizer = SGD(**{clipping: 1.0})
        assert optimizer.update({}, optimizer.init({}), {})[0] == {}

    @every_optimizer
    def test_is_differentiable(self, case):
        optimizer, params = make(case), draw()
        opt_state = optimizer.init(params)

        def after(rate):
            state = opt_state._replace(learning_rate=rate)
            updates, _ = optimizer.update(draw(1), state, params)
            return sum(jnp.sum(update) for update in jax.tree.leaves(updates))

        assert np.isfinite(jax.jit(jax.grad(after))(0.1))

    @every_optimizer
    @pytest.mark.parametrize("wrapper", ["chain", "masked", "MultiSteps"])
    def test_works_inside_optax(self, case, wrapper):
        optimizer, params = make(case), draw()
        transformation = optax.GradientTransformation(optimizer.init, optimizer.update)
        if wrapper == "chain":
            wrapped = optax.chain(optax.scale(2.0), transformation)
            grads, steps = jax.tree.map(lambda leaf: 2 * leaf, params), 1
        elif wrapper == "masked":
            wrapped = optax.masked(
                transformation, {"dense": {"bias": False, "kernel": True}, "scale": True}
            )
            grads, steps = params, 1
        else:
            wrapped = optax.MultiSteps(transformation, every_k_schedule=2)
            grads, steps = params, 2
        opt_state, update = wrapped.init(params), jax.jit(wrapped.update)
        for _ in range(steps):
            updates, opt_state = update(params, opt_state, params)
        expected, _ = optimizer.update(grads, optimizer.init(params), params)
        if wrapper == "masked":
            expected["dense"]["bias"] = params["dense"]["bias"]
        check_close(updates, expected, 1e-5)

    @every_optimizer
    def test_repr_and_config_describe_an_equal_optimizer(self, case):
        optimizer = make(case, learning_rate=0.3, weight_decay=0.5)
        if isinstance(optimizer, Momentum):
            # The arguments of its `__init__`, which are recorded.
            expected = {"learning_rate": 0.3, "momentum": 0.9, "weight_decay": 0.5}
            assert optimizer.get_config() == expected
            return
        assert type(optimizer).from_config(optimizer.get_config()) == optimizer
        assert eval(repr(optimizer), {type(optimizer).__name__: type(optimizer)}) == optimizer
        assert "decay" not in optimizer.get_config()
