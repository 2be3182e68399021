"""What every optimizer must do, ours and an author's."""

import inspect
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import lax

from fjax import optimizers
from fjax.optimizers import (
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Lamb,
    Lion,
    Muon,
    Nadam,
    Optimizer,
    OptimizerState,
    RMSprop,
    ScheduleFreeAdamW,
    schedules,
)


class Momentum(Optimizer):
    """An optimizer as an author of Keras classes writes one."""

    def __init__(self, learning_rate=0.01, momentum=0.9, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = momentum

    def init_one(self, param):
        return {"velocity": jnp.zeros_like(param)}

    def update_one(self, grad, slots, param, learning_rate, step):
        velocity = self.momentum * slots["velocity"] - learning_rate * grad
        return velocity, {"velocity": velocity}


class Signed(Optimizer):
    """An optimizer of fields alone, its rule reading param and step."""

    learning_rate: float = 0.01
    pull: float = 0.1

    def update_one(self, grad, slots, param, learning_rate, step):
        return -learning_rate * (jnp.sign(grad) + self.pull * param) / jnp.sqrt(step), slots


# Each with the rate at which it reaches the parabola's and Rosenbrock's minimum.
OPTIMIZERS = {
    "SGD": (SGD, {}, 0.1, 2e-3),
    "SGD momentum": (SGD, {"momentum": 0.9}, 0.02, 5e-4),
    "SGD nesterov": (SGD, {"momentum": 0.9, "nesterov": True}, 0.02, 5e-4),
    "RMSprop": (RMSprop, {}, 1e-3, 1e-3),
    "RMSprop full": (RMSprop, {"momentum": 0.5, "centered": True}, 5e-4, 1e-4),
    "Adam": (Adam, {}, 0.02, 0.01),
    "Adam amsgrad": (Adam, {"amsgrad": True}, 0.02, 0.01),
    "AdamW": (AdamW, {"weight_decay": 1e-4}, 0.02, 0.01),
    "Adam clipped": (Adam, {"global_clipnorm": 1.0}, 0.02, 0.01),
    "Nadam": (Nadam, {}, 0.02, 0.01),
    "Adamax": (Adamax, {}, 0.02, 0.01),
    "Adagrad": (Adagrad, {}, 0.5, 0.5),
    "Adadelta": (Adadelta, {}, 0.5, 0.05),
    "Adafactor": (Adafactor, {}, 0.05, 0.05),
    "Ftrl": (Ftrl, {}, 0.5, 0.5),
    "Lamb": (Lamb, {}, 0.002, 0.003),
    "Lion": (Lion, {}, 2e-3, 1e-3),
    "Muon": (Muon, {"weight_decay": 0.0, "adam_weight_decay": 0.0}, 0.01, 0.01),
    "ScheduleFreeAdamW": (ScheduleFreeAdamW, {"warmup_steps": 10}, 0.05, 0.02),
    "averaged": (
        SGD,
        {
            "momentum": 0.9,
            "use_ema": True,
            "ema_overwrite_frequency": 10,
            "ema_momentum": 0.5,
            "gradient_accumulation_steps": 2,
            "loss_scale_factor": 4.0,
            "exclude_from_weight_decay": ["bias"],
        },
        0.1,
        2e-3,
    ),
    "authored": (Momentum, {}, 0.02, 5e-4),
    "fields": (Signed, {"pull": 0.0}, 0.05, 0.01),
}
every_optimizer = pytest.mark.parametrize("case", OPTIMIZERS)


def make(case, **changes):
    kind, arguments, *_ = OPTIMIZERS[case]
    return kind(**{"learning_rate": 0.1, **arguments, **changes})


def draw(seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"dense": {"bias": (3,), "kernel": (4, 3)}, "scale": ()}
    return jax.tree.map(
        lambda shape: jnp.asarray(rng.normal(size=shape), jnp.float32),
        shapes,
        is_leaf=lambda node: isinstance(node, tuple),
    )


def descend(optimizer, loss, params, steps):
    def body(_, carry):
        params, opt_state = carry
        updates, opt_state = optimizer.update(jax.grad(loss)(params), opt_state, params)
        return jax.tree.map(jnp.add, params, updates), opt_state

    run = jax.jit(lambda carry: lax.fori_loop(0, steps, body, carry)[0])
    return run((params, optimizer.init(params)))


def check_close(left, right, rtol=1e-6, atol=1e-7):
    assert jax.tree.structure(left) == jax.tree.structure(right)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=atol), left, right)


class TestEveryOptimizer:
    def test_all_are_here(self):
        public = {
            member
            for member in vars(optimizers).values()
            if inspect.isclass(member) and issubclass(member, Optimizer)
        }
        assert public - {Optimizer} <= {kind for kind, *_ in OPTIMIZERS.values()}

    @every_optimizer
    def test_finds_the_bottom_of_a_parabola(self, case):
        rate = OPTIMIZERS[case][2]
        target = {"a": jnp.array([1.0, -2.0, 3.0]), "b": jnp.float32(0.5)}

        def parabola(params):
            return sum(jnp.sum((params[name] - target[name]) ** 2) for name in target)

        start = jax.tree.map(jnp.zeros_like, target)
        check_close(descend(make(case, learning_rate=rate), parabola, start, 8000), target, 0, 2e-2)

    @every_optimizer
    def test_finds_the_valley_of_rosenbrock(self, case):
        rate = OPTIMIZERS[case][3]

        def rosenbrock(params):
            x, y = params["point"]
            return (1 - x) ** 2 + 100 * (y - x**2) ** 2

        start = {"point": jnp.array([-0.5, 0.5])}
        optimizer = make(case, learning_rate=rate)
        found = descend(optimizer, rosenbrock, start, 20_000)
        assert rosenbrock(found) < 1e-2 < rosenbrock(start)

    @every_optimizer
    def test_compiles_once_whatever_the_rate(self, case):
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
    def test_state_alone_decides_the_rate(self, case):
        one, other, params = make(case), make(case, learning_rate=0.7), draw()
        opt_state = one.init(params)
        check_close(
            one.update(draw(1), opt_state, params), other.update(draw(1), opt_state, params), 0, 0
        )
        assert str(jax.make_jaxpr(one.update)(params, opt_state, params)) == str(
            jax.make_jaxpr(other.update)(params, opt_state, params)
        )

    @every_optimizer
    def test_sweeps_rates_under_vmap(self, case):
        optimizer, params, rates = make(case), draw(), jnp.array([0.0, 0.01, 0.1])

        def train(rate):
            opt_state = optimizer.init(params)._replace(learning_rate=rate)
            for step in range(3):
                updates, opt_state = optimizer.update(draw(step), opt_state, params)
            # What is trained: an update may be a small difference of two params.
            return jax.tree.map(jnp.add, params, updates), opt_state

        swept, single = jax.jit(jax.vmap(train))(rates), jax.jit(train)
        for index, rate in enumerate(rates):
            check_close(jax.tree.map(lambda leaf, i=index: leaf[i], swept), single(rate))

    @every_optimizer
    def test_jit_equals_eager(self, case):
        optimizer, params = make(case, weight_decay=0.1), draw()
        opt_state = optimizer.init(params)
        check_close(jax.jit(optimizer.init)(params), opt_state, 0, 0)
        # One unit in the last place of beta ** step is 6e-5 of its distance from 1.
        for step in range(3):
            eager = optimizer.update(draw(step), opt_state, params)
            jitted = jax.jit(optimizer.update)(draw(step), opt_state, params)
            # What is trained: an update may be a small difference of two params.
            moved = [
                (jax.tree.map(jnp.add, params, updates), after)
                for updates, after in (jitted, eager)
            ]
            check_close(*moved, 1e-5, 1e-7)
            opt_state = eager[1]

    @every_optimizer
    @pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
    def test_update_keeps_structure_shapes_and_dtypes(self, case, dtype):
        optimizer = make(case, weight_decay=0.1)
        params = jax.tree.map(lambda leaf: leaf.astype(dtype), draw())
        opt_state = optimizer.init(params)
        updates, next_state = jax.eval_shape(optimizer.update, params, opt_state, params)

        def described(tree):
            return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype, leaf.weak_type), tree)

        assert described(updates) == described(params)
        assert described(next_state) == described(opt_state)
        assert described(jax.eval_shape(optimizer.init, params)) == described(opt_state)
        for tree in opt_state.slots.values():
            # A param without this slot has None in its place.
            filled = jax.tree.map(lambda leaf: 0, tree, is_leaf=lambda leaf: leaf is None)
            assert jax.tree.structure(filled) == jax.tree.structure(params)
        assert (opt_state.step.dtype, opt_state.learning_rate.dtype) == (jnp.int32, jnp.float32)

    @every_optimizer
    def test_state_may_be_donated(self, case):
        optimizer, params = make(case), draw()
        update = jax.jit(optimizer.update, donate_argnums=1)
        opt_state = optimizer.init(params)
        for step in range(3):
            _, opt_state = update(draw(step), opt_state, params)
        assert opt_state.step == 3

    @every_optimizer
    @pytest.mark.parametrize("empty", [{}, (), {"dense": {}}, None])
    def test_an_empty_tree_trains(self, case, empty):
        optimizer = make(case, weight_decay=0.1)
        updates, opt_state = optimizer.update(empty, optimizer.init(empty), empty)
        assert (updates, int(opt_state.step)) == (empty, 1)

    @pytest.mark.parametrize("clipping", ["clipnorm", "clipvalue", "global_clipnorm"])
    def test_an_empty_tree_is_clipped(self, clipping):
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
    @pytest.mark.parametrize("wrap", ["chain", "masked", "MultiSteps"])
    def test_stands_inside_optax(self, case, wrap):
        optimizer, params = make(case), draw()
        ours = optax.GradientTransformation(optimizer.init, optimizer.update)
        if wrap == "chain":
            wrapped = optax.chain(optax.scale(2.0), ours)
            grads, steps = jax.tree.map(lambda leaf: 2 * leaf, params), 1
        elif wrap == "masked":
            wrapped = optax.masked(ours, {"dense": {"bias": False, "kernel": True}, "scale": True})
            grads, steps = params, 1
        else:
            wrapped = optax.MultiSteps(ours, every_k_schedule=2)
            grads, steps = params, 2
        opt_state, update = wrapped.init(params), jax.jit(wrapped.update)
        for _ in range(steps):
            updates, opt_state = update(params, opt_state, params)
        expected, _ = optimizer.update(grads, optimizer.init(params), params)
        if wrap == "masked":
            expected["dense"]["bias"] = params["dense"]["bias"]
        check_close(updates, expected, 1e-5)

    @every_optimizer
    def test_repr_and_config_round_trip(self, case):
        optimizer = make(case, learning_rate=0.3, weight_decay=0.5)
        if isinstance(optimizer, Momentum):
            assert optimizer.get_config() == {}
            return
        assert type(optimizer).from_config(optimizer.get_config()) == optimizer
        assert eval(repr(optimizer), {type(optimizer).__name__: type(optimizer)}) == optimizer
        assert "decay" not in optimizer.get_config()


class TestLearningRate:
    def test_a_schedule_fills_the_leaf(self):
        schedule = schedules.ExponentialDecay(0.1, 1, 0.5)
        optimizer, params = SGD(schedule), {"w": jnp.ones(2)}
        opt_state = jax.jit(optimizer.init)(params)
        for step in range(4):
            assert opt_state.learning_rate == schedule(step)
            updates, opt_state = jax.jit(optimizer.update)(params, opt_state, params)
            np.testing.assert_allclose(updates["w"], -schedule(step) * jnp.ones(2), rtol=1e-6)

    def test_any_function_of_the_step_will_do(self):
        optimizer, params = SGD(lambda step: 1.0 / (step + 1)), {"w": jnp.ones(1)}
        _, opt_state = optimizer.update(params, optimizer.init(params), params)
        assert opt_state.learning_rate == 0.5

    def test_a_schedule_survives_the_config(self):
        optimizer = Adam(schedules.CosineDecay(0.1, 10, warmup_target=0.2, warmup_steps=5))
        assert Adam.from_config(optimizer.get_config()) == optimizer
        assert optimizers.get({"class_name": "Adam", "config": optimizer.get_config()}) == optimizer

    def test_a_plain_number_put_in_the_state_is_used(self):
        optimizer, params = SGD(0.1), {"w": jnp.ones(1)}
        opt_state = optimizer.init(params)._replace(learning_rate=0.5)
        updates, opt_state = optimizer.update(params, opt_state, params)
        assert updates["w"] == -0.5
        assert opt_state.learning_rate.dtype == jnp.float32

    def test_zero_and_whole_numbers_are_rates(self):
        assert SGD(0).learning_rate == 0.0
        assert SGD(1) == SGD(1.0)
        assert SGD(np.float32(0.5)) == SGD(0.5)

    @pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf")])
    def test_a_bad_number_is_refused(self, rate):
        with pytest.raises(ValueError, match=r"`Adam`: `learning_rate` must be a number in \[0"):
            Adam(rate)

    @pytest.mark.parametrize("rate", ["0.1", None, True, [0.1], 1j])
    def test_what_is_no_rate_is_refused(self, rate):
        with pytest.raises(TypeError, match="`learning_rate` must be a number, a schedule or a"):
            SGD(rate)

    @pytest.mark.parametrize("rate", [jnp.float32(0.1), np.ones(3)])
    def test_an_array_is_sent_to_the_state(self, rate):
        with pytest.raises(TypeError, match=r"to sweep over rates, replace `opt_state.learning_ra"):
            SGD(rate)

    @pytest.mark.parametrize("rate", [lambda: 0.1, lambda step, epoch: 0.1, schedules.CosineDecay])
    def test_a_function_of_something_else_is_refused(self, rate):
        with pytest.raises(TypeError, match="called with the step and returns the rate"):
            SGD(rate)

    def test_a_rate_that_is_no_scalar_is_refused(self):
        with pytest.raises(ValueError, match=r"must give one number for a step, .*shape \(2,\)"):
            SGD(lambda step: jnp.ones(2)).init({"w": jnp.ones(1)})

    def test_lr_is_an_older_spelling(self):
        with pytest.warns(DeprecationWarning, match="older spelling of `learning_rate=`") as caught:
            optimizer = SGD(lr=0.3)
        assert optimizer == SGD(0.3)
        assert caught[0].filename == __file__

    @pytest.mark.parametrize("kind", [SGD, RMSprop, Adam, AdamW])
    def test_decay_is_an_older_spelling(self, kind):
        with pytest.warns(
            DeprecationWarning, match=r"schedules.InverseTimeDecay\(0.3, 1, 0.01\)"
        ) as w:
            optimizer = kind(0.3, decay=0.01)
        assert optimizer == kind(schedules.InverseTimeDecay(0.3, 1, 0.01))
        assert w[0].filename == __file__
        assert kind.from_config(optimizer.get_config()) == optimizer

    def test_lr_and_decay_go_together(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            optimizer = SGD(lr=0.3, decay=0.5)
        params = {"w": jnp.ones(1)}
        opt_state = optimizer.init(params)
        for step in range(3):
            np.testing.assert_allclose(opt_state.learning_rate, 0.3 / (1 + 0.5 * step), rtol=1e-6)
            _, opt_state = optimizer.update(params, opt_state, params)

    def test_no_decay_leaves_a_number(self):
        with pytest.warns(DeprecationWarning, match="older spelling"):
            assert SGD(0.3, decay=0.0) == SGD(0.3)

    def test_decay_of_a_schedule_is_refused(self):
        with pytest.raises(ValueError, match="Remove `decay`"):
            SGD(schedules.CosineDecay(0.1, 10), decay=0.1)


class TestArguments:
    @pytest.mark.parametrize(
        ("kind", "arguments", "message"),
        [
            (SGD, {"momentum": 1.1}, r"`SGD`: `momentum` must be a number in \[0, 1\]"),
            (SGD, {"momentum": -0.1}, "`momentum`"),
            (SGD, {"momentum": "0.9"}, "`momentum`"),
            (SGD, {"nesterov": "yes"}, "`nesterov`"),
            (RMSprop, {"rho": 1.0}, r"`rho` must be a number in \[0, 1\)"),
            (RMSprop, {"momentum": 2}, "`momentum`"),
            (RMSprop, {"epsilon": -1e-7}, "`epsilon`"),
            (RMSprop, {"centered": 3}, "`centered`"),
            (Adam, {"beta_1": 1.0}, r"`Adam`: `beta_1` must be a number in \[0, 1\), received 1.0"),
            (Adam, {"beta_2": 1.0}, "`beta_2`"),
            (Adam, {"beta_2": -0.1}, "`beta_2`"),
            (Adam, {"epsilon": None}, "`epsilon`"),
            (Adam, {"amsgrad": None}, "`amsgrad`"),
            (AdamW, {"weight_decay": None}, "`AdamW`: `weight_decay`"),
            (SGD, {"weight_decay": -0.1}, "`weight_decay`"),
            (SGD, {"clipnorm": -1.0}, "`clipnorm`"),
            (SGD, {"clipvalue": -1.0}, "`clipvalue`"),
            (SGD, {"global_clipnorm": "1"}, "`global_clipnorm`"),
            (Nadam, {"beta_1": 1.0}, r"`Nadam`: `beta_1` must be a number in \[0, 1\)"),
            (Adagrad, {"initial_accumulator_value": -1.0}, "`initial_accumulator_value`"),
            (Adadelta, {"rho": 1.0}, "`rho`"),
            (Adamax, {"epsilon": -1.0}, "`epsilon`"),
            (Lion, {"beta_1": 0.0}, r"`Lion`: `beta_1` must be a number in \(0, 1\]"),
            (Lamb, {"beta_2": 1.0}, "`beta_2`"),
            (Adafactor, {"beta_2_decay": 0.1}, "`beta_2_decay`"),
            (Adafactor, {"clip_threshold": 0.0}, "`clip_threshold`"),
            (Ftrl, {"learning_rate_power": 0.5}, "`learning_rate_power`"),
            (Ftrl, {"l1_regularization_strength": -1.0}, "`l1_regularization_strength`"),
            (Muon, {"ns_steps": 0}, "`ns_steps` must be an integer of at least 1"),
            (Muon, {"exclude_layers": "output"}, "`exclude_layers` must be a list of regular"),
            (ScheduleFreeAdamW, {"warmup_steps": -1}, "`warmup_steps`"),
            (SGD, {"use_ema": "yes"}, "`use_ema`"),
            (SGD, {"use_ema": True, "ema_momentum": 1.1}, "`ema_momentum`"),
            (SGD, {"use_ema": True, "ema_overwrite_frequency": 0}, "`ema_overwrite_frequency`"),
            (SGD, {"ema_overwrite_frequency": 5}, "needs averages. Set `use_ema=True`"),
            (SGD, {"gradient_accumulation_steps": 1}, "must be an integer of at least 2"),
            (SGD, {"loss_scale_factor": 0.0}, "`loss_scale_factor`"),
            (SGD, {"exclude_from_weight_decay": ["("]}, r"holds '\(', which is no regular expres"),
            (Adam, {"clipnorm": 1.0, "clipvalue": 1.0}, "`clipnorm` and `clipvalue`. Keep one"),
            (Adam, {"clipnorm": 1.0, "global_clipnorm": 1.0}, "clipped in one way only"),
        ],
    )
    def test_what_is_out_of_range_is_refused(self, kind, arguments, message):
        with pytest.raises(ValueError, match=message):
            kind(**arguments)

    def test_a_misspelt_argument_is_answered(self):
        with pytest.raises(TypeError, match="Did you mean `momentum`"):
            SGD(momentun=0.9)

    def test_arguments_stand_where_keras_has_them(self):
        assert SGD(0.1, 0.9, True) == SGD(learning_rate=0.1, momentum=0.9, nesterov=True)
        assert RMSprop(0.1, 0.8, 0.5, 1e-3, True) == RMSprop(
            learning_rate=0.1, rho=0.8, momentum=0.5, epsilon=1e-3, centered=True
        )
        assert Adam(0.1, 0.8, 0.9, 1e-3, True) == Adam(
            learning_rate=0.1, beta_1=0.8, beta_2=0.9, epsilon=1e-3, amsgrad=True
        )
        assert AdamW(0.1, 0.2, 0.8, 0.9, 1e-3, True) == AdamW(
            learning_rate=0.1, weight_decay=0.2, beta_1=0.8, beta_2=0.9, epsilon=1e-3, amsgrad=True
        )
        with pytest.raises(TypeError):
            SGD(0.1, 0.9, True, 0.1)

    def test_an_optimizer_is_sealed(self):
        with pytest.raises(AttributeError, match="cannot be changed"):
            SGD(0.1).learning_rate = 0.2


class TestTrees:
    PARAMS = {"dense": {"bias": jnp.ones(3), "kernel": jnp.ones((4, 3))}}  # noqa: RUF012

    @pytest.mark.parametrize(
        ("grads", "message"),
        [
            ({"dense": {"bias": np.ones(3)}}, r"\['dense'\]\['kernel'\]: expected an array of sh"),
            ({"dense": {"bias": np.ones(3), "kernel": np.ones((4, 1))}},
             r"\['dense'\]\['kernel'\]: .*shape \(4, 3\), received an array of shape \(4, 1\)"),
            ({"dense": {"bias": None, "kernel": np.ones((4, 3))}}, r"\['bias'\]: .* received None"),
            ([1.0], "the tree itself: expected a dict, received a list"),
        ],
    )  # fmt: skip
    def test_grads_unlike_params_are_refused(self, grads, message):
        optimizer = Adam()
        opt_state = optimizer.init(self.PARAMS)
        for update in (optimizer.update, jax.jit(optimizer.update)):
            with pytest.raises(ValueError, match=message) as caught:
                update(grads, opt_state, self.PARAMS)
            assert "`Adam.update`: `grads` must be a tree like `params`" in str(caught.value)

    @pytest.mark.parametrize(
        ("opt_state", "message"),
        [
            (SGD().init(PARAMS), r"\.slots\['momentum'\]: expected a dict, received nothing"),
            (RMSprop().init(PARAMS), r"\.slots\['momentum'\]"),
            (Adam(amsgrad=True).init(PARAMS), r"\['velocity_hat'\]: expected nothing"),
            (Adam().init({"dense": {"bias": jnp.ones(2), "kernel": jnp.ones((4, 3))}}),
             r"\['momentum'\]\['dense'\]\['bias'\]: expected an array of shape \(3,\)"),
            (optax.adam(0.1).init(PARAMS), "expected a OptimizerState, received a tuple"),
            (OptimizerState(np.int32(0), np.ones(3, np.float32), {}), r"\.learning_rate: expected"),
        ],
    )  # fmt: skip
    def test_another_state_is_refused(self, opt_state, message):
        with pytest.raises(ValueError, match=message) as caught:
            Adam().update(self.PARAMS, opt_state, self.PARAMS)
        assert "Make one by `init(params)`" in str(caught.value)

    def test_params_that_cannot_be_trained_are_refused(self):
        with pytest.raises(TypeError, match=r"`SGD.init`: `params\['count'\]` must be floating"):
            SGD().init({"count": jnp.arange(3)})


class TestAlongTheWay:
    PARAMS = {"dense": {"bias": jnp.ones(3), "kernel": jnp.ones((4, 3))}}  # noqa: RUF012

    def test_updates_between_are_zeros_and_change_no_slot(self):
        optimizer = Adam(0.1, gradient_accumulation_steps=3, weight_decay=0.1)
        opt_state = optimizer.init(self.PARAMS)
        for step in range(6):
            before = opt_state
            updates, opt_state = optimizer.update(self.PARAMS, opt_state, self.PARAMS)
            moved = any(np.any(update) for update in jax.tree.leaves(updates))
            assert moved == (step in (2, 5))
            kept = opt_state.slots["momentum"]["dense"]["bias"]
            assert moved != np.array_equal(kept, before.slots["momentum"]["dense"]["bias"])
        assert opt_state.step == 6

    def test_before_the_first_update_the_params_are_final(self):
        optimizer = SGD(0.1, use_ema=True)
        opt_state = optimizer.init(self.PARAMS)
        check_close(optimizer.finalize(self.PARAMS, opt_state), self.PARAMS, 0, 0)
        _, opt_state = optimizer.update(self.PARAMS, opt_state, self.PARAMS)
        final = optimizer.finalize(self.PARAMS, opt_state)
        check_close(final, jax.tree.map(lambda leaf: 0.9 * leaf, self.PARAMS), 1e-6)

    def test_the_scaled_loss_gives_the_same_update(self):
        optimizer, params = SGD(0.1, loss_scale_factor=2.0**10), {"w": jnp.arange(3.0)}
        grads = jax.grad(lambda p: optimizer.scale_loss(jnp.sum(p["w"] ** 2)))(params)
        updates, _ = optimizer.update(grads, optimizer.init(params), params)
        check_close(updates, {"w": -0.2 * params["w"]})
        assert SGD().scale_loss(3.0) == 3.0

    def test_a_rule_s_slot_may_not_have_a_name_of_the_base(self):
        class Averager(Momentum):
            def init_one(self, param):
                return {"average": jnp.zeros_like(param)}

        Averager().init(self.PARAMS)
        with pytest.raises(ValueError, match=r"`Averager.init_one`: the slots \['average'\] are"):
            Averager(use_ema=True).init(self.PARAMS)

    def test_muon_leaves_to_adam_what_is_no_matrix_of_a_hidden_layer(self):
        params = {
            "embedding": {"embeddings": jnp.ones((5, 2))},
            "dense": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(3)},
            "output": {"kernel": jnp.ones((3, 2))},
        }
        slots = Muon(exclude_layers=["^output/"]).init(params).slots["velocity"]
        assert slots["dense"]["kernel"] is None
        assert slots["dense"]["bias"].shape == (3,)
        assert slots["output"]["kernel"].shape == (3, 2)
        assert slots["embedding"]["embeddings"].shape == (5, 2)
        with_embeddings = Muon(exclude_embeddings=False).init(params).slots["velocity"]
        assert with_embeddings["embedding"]["embeddings"] is None

    def test_muon_s_updates_are_nearly_orthogonal(self):
        optimizer = Muon(1.0, weight_decay=0.0, rms_rate=None)
        params = {"kernel": draw()["dense"]["kernel"]}
        updates, _ = optimizer.update(params, optimizer.init(params), params)
        singular = np.linalg.svd(updates["kernel"], compute_uv=False)
        assert np.all((singular > 0.6) & (singular < 1.3))

    def test_ftrl_makes_weights_exactly_zero(self):
        optimizer, params = Ftrl(0.1, l1_regularization_strength=1.0), {"w": jnp.array([0.3, 2.0])}
        grads = {"w": jnp.array([0.1, -2.0])}
        updates, _ = optimizer.update(grads, optimizer.init(params), params)
        assert params["w"][0] + updates["w"][0] == 0.0

    def test_adafactor_keeps_rows_and_columns_alone(self):
        slots = Adafactor().init({"w": jnp.ones((2, 4, 3)), "b": jnp.ones(3)}).slots
        assert {name: tree["w"].shape for name, tree in slots.items() if tree["w"] is not None} == {
            "row": (2, 4),
            "column": (2, 3),
        }
        assert slots["velocity"]["b"].shape == (3,)


class TestAuthored:
    def test_equals_the_built_in(self):
        params = draw()
        ours, theirs = SGD(0.1, momentum=0.9, clipnorm=1.0), Momentum(0.1, clipnorm=1.0)
        left, right = ours.init(params), theirs.init(params)
        for step in range(4):
            updates, left = ours.update(draw(step), left, params)
            expected, right = theirs.update(draw(step), right, params)
            check_close(updates, expected, 0, 0)

    def test_arguments_are_checked(self):
        with pytest.raises(ValueError, match="`Momentum`: `learning_rate`"):
            Momentum(-1.0)

    def test_a_missing_rule_is_told(self):
        class Nothing(Optimizer):
            pass

        optimizer = Nothing(0.1)
        with pytest.raises(NotImplementedError, match="`Nothing` is an optimizer without a rule"):
            optimizer.update(draw(), optimizer.init(draw()), draw())

    def test_lost_slots_are_told(self):
        class Forgetful(Momentum):
            def update_one(self, grad, slots, param, learning_rate, step):
                return -learning_rate * grad, {}

        optimizer = Forgetful()
        with pytest.raises(ValueError, match=r"`Forgetful.update_one` must return the slots"):
            optimizer.update(draw(), optimizer.init(draw()), draw())


class TestGet:
    @pytest.mark.parametrize(
        ("identifier", "expected"),
        [
            ("adam", Adam()),
            ("Adam", Adam()),
            ("ADAM", Adam()),
            ("sgd", SGD()),
            ("rmsprop", RMSprop()),
            ("RMSprop", RMSprop()),
            ("adamw", AdamW()),
            ("AdamW", AdamW()),
            (AdamW, AdamW()),
            ({"class_name": "SGD", "config": {"momentum": 0.5}}, SGD(momentum=0.5)),
            ({"class_name": "adam", "config": {}}, Adam()),
        ],
        ids=str,
    )
    def test_finds(self, identifier, expected):
        assert optimizers.get(identifier) == expected

    @pytest.mark.parametrize(
        "pair", [Adam(0.5), Momentum(), optax.adam(0.1), optax.MultiSteps(optax.sgd(0.1), 2)]
    )
    def test_a_pair_is_returned_as_it_is(self, pair):
        assert optimizers.get(pair) is pair

    def test_an_unknown_name_is_answered(self):
        with pytest.raises(ValueError, match=r"Unknown optimizer 'adm'\. Did you mean `adam`"):
            optimizers.get("adm")

    @pytest.mark.parametrize("identifier", [None, 3, {}, dict, jnp.sum, lambda grads: grads])
    def test_what_is_no_optimizer_is_refused(self, identifier):
        with pytest.raises(TypeError, match="optimizer"):
            optimizers.get(identifier)
