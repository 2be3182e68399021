"""Arguments of optimizers, trees that do not fit, and `get`."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

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
    OptimizerState,
    RMSprop,
    ScheduleFreeAdamW,
)
from tests.optimizers.cases import (
    Momentum,
)


class TestArguments:
    @pytest.mark.parametrize(
        ("cls", "arguments", "message"),
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
            (SGD, {"ema_overwrite_frequency": 5}, "needs `use_ema=True`"),
            (SGD, {"gradient_accumulation_steps": 1}, "must be an integer of at least 2"),
            (SGD, {"loss_scale_factor": 0.0}, "`loss_scale_factor`"),
            (SGD, {"exclude_from_weight_decay": ["("]}, r"holds '\(', which is not a regular ex"),
            (
                Adam,
                {"clipnorm": 1.0, "clipvalue": 1.0},
                "`clipnorm` and `clipvalue`. Remove all but one",
            ),
            (Adam, {"clipnorm": 1.0, "global_clipnorm": 1.0}, "can be clipped in one way only"),
        ],
    )
    def test_invalid_arguments_raise(self, cls, arguments, message):
        with pytest.raises(ValueError, match=message):
            cls(**arguments)

    def test_the_error_for_a_misspelled_argument_suggests_the_right_one(self):
        with pytest.raises(TypeError, match="Did you mean `momentum`"):
            SGD(momentun=0.9)

    def test_positional_arguments_are_in_keras_order(self):
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

    def test_an_optimizer_cannot_be_changed(self):
        with pytest.raises(AttributeError, match="cannot be changed"):
            SGD(0.1).momentum = 0.2


class TestMismatchedTrees:
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
    def test_grads_unlike_params_raise(self, grads, message):
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
    def test_the_state_of_another_optimizer_raises(self, opt_state, message):
        with pytest.raises(ValueError, match=message) as caught:
            Adam().update(self.PARAMS, opt_state, self.PARAMS)
        assert "Make one by `init(params)`" in str(caught.value)

    def test_integer_params_raise(self):
        with pytest.raises(TypeError, match=r"`SGD.init`: `params\['count'\]` must be floating"):
            SGD().init({"count": jnp.arange(3)})


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
    def test_get_by_name_class_and_config(self, identifier, expected):
        assert optimizers.get(identifier) == expected

    @pytest.mark.parametrize(
        "pair", [Adam(0.5), Momentum(), optax.adam(0.1), optax.MultiSteps(optax.sgd(0.1), 2)]
    )
    def test_get_returns_an_optimizer_unchanged(self, pair):
        assert optimizers.get(pair) is pair

    def test_the_error_for_an_unknown_name_suggests_a_similar_one(self):
        with pytest.raises(ValueError, match=r"Unknown optimizer 'adm'\. Did you mean `adam`"):
            optimizers.get("adm")

    @pytest.mark.parametrize("identifier", [None, 3, {}, dict, jnp.sum, lambda grads: grads])
    def test_get_raises_for_other_objects(self, identifier):
        with pytest.raises(TypeError, match="optimizer"):
            optimizers.get(identifier)
