"""Accumulation, averages, loss scale, single optimizers and custom ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax.optimizers import (
    SGD,
    Adafactor,
    Adam,
    Ftrl,
    Muon,
    Optimizer,
)
from tests.optimizers.cases import (
    Momentum,
    check_close,
    draw,
)


class TestFeatures:
    PARAMS = {"dense": {"bias": jnp.ones(3), "kernel": jnp.ones((4, 3))}}  # noqa: RUF012

    def test_steps_that_only_accumulate_change_neither_params_nor_slots(self):
        optimizer = Adam(0.1, gradient_accumulation_steps=3, weight_decay=0.1)
        opt_state = optimizer.init(self.PARAMS)
        for step in range(6):
            before = opt_state
            updates, opt_state = optimizer.update(self.PARAMS, opt_state, self.PARAMS)
            is_updated = any(np.any(update) for update in jax.tree.leaves(updates))
            assert is_updated == (step in (2, 5))
            old, new = (state.slots["momentum"]["dense"]["bias"] for state in (before, opt_state))
            assert is_updated != np.array_equal(old, new)
        assert opt_state.step == 6

    def test_finalize_returns_the_params_before_the_first_update(self):
        optimizer = SGD(0.1, use_ema=True)
        opt_state = optimizer.init(self.PARAMS)
        check_close(optimizer.finalize(self.PARAMS, opt_state), self.PARAMS, 0, 0)
        _, opt_state = optimizer.update(self.PARAMS, opt_state, self.PARAMS)
        final = optimizer.finalize(self.PARAMS, opt_state)
        check_close(final, jax.tree.map(lambda leaf: 0.9 * leaf, self.PARAMS), 1e-6)

    def test_a_loss_scale_does_not_change_the_update(self):
        optimizer, params = SGD(0.1, loss_scale_factor=2.0**10), {"w": jnp.arange(3.0)}
        grads = jax.grad(lambda p: optimizer.scale_loss(jnp.sum(p["w"] ** 2)))(params)
        updates, _ = optimizer.update(grads, optimizer.init(params), params)
        check_close(updates, {"w": -0.2 * params["w"]})
        assert SGD().scale_loss(3.0) == 3.0

    def test_a_slot_with_a_reserved_name_raises(self):
        class Averager(Momentum):
            def init_one(self, param):
                return {"average": jnp.zeros_like(param)}

        Averager().init(self.PARAMS)
        with pytest.raises(
            ValueError, match=r"`Averager.init_one`: the slot names \['average'\] are"
        ):
            Averager(use_ema=True).init(self.PARAMS)

    def test_muon_trains_only_matrices_of_hidden_layers_without_adam(self):
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

    def test_updates_of_muon_are_nearly_orthogonal(self):
        optimizer = Muon(1.0, weight_decay=0.0, rms_rate=None)
        params = {"kernel": draw()["dense"]["kernel"]}
        updates, _ = optimizer.update(params, optimizer.init(params), params)
        singular_values = np.linalg.svd(updates["kernel"], compute_uv=False)
        assert np.all((singular_values > 0.6) & (singular_values < 1.3))

    def test_ftrl_sets_weights_to_exactly_0(self):
        optimizer, params = Ftrl(0.1, l1_regularization_strength=1.0), {"w": jnp.array([0.3, 2.0])}
        grads = {"w": jnp.array([0.1, -2.0])}
        updates, _ = optimizer.update(grads, optimizer.init(params), params)
        assert params["w"][0] + updates["w"][0] == 0.0

    def test_adafactor_stores_rows_and_columns_of_matrices_only(self):
        slots = Adafactor().init({"w": jnp.ones((2, 4, 3)), "b": jnp.ones(3)}).slots
        assert {name: tree["w"].shape for name, tree in slots.items() if tree["w"] is not None} == {
            "row": (2, 4),
            "column": (2, 3),
        }
        assert slots["velocity"]["b"].shape == (3,)


class TestCustomOptimizers:
    def test_a_custom_momentum_optimizer_equals_sgd(self):
        params = draw()
        sgd, custom = SGD(0.1, momentum=0.9, clipnorm=1.0), Momentum(0.1, clipnorm=1.0)
        sgd_state, custom_state = sgd.init(params), custom.init(params)
        for step in range(4):
            updates, custom_state = custom.update(draw(step), custom_state, params)
            expected, sgd_state = sgd.update(draw(step), sgd_state, params)
            check_close(updates, expected, 0, 0)

    def test_arguments_are_checked(self):
        with pytest.raises(ValueError, match="`Momentum`: `learning_rate`"):
            Momentum(-1.0)

    def test_a_subclass_without_a_rule_raises(self):
        class Nothing(Optimizer):
            pass

        optimizer = Nothing(0.1)
        with pytest.raises(NotImplementedError, match="`Nothing` must define"):
            optimizer.update(draw(), optimizer.init(draw()), draw())

    def test_a_rule_that_does_not_return_its_slots_raises(self):
        class Forgetful(Momentum):
            def update_one(self, grad, slots, param, learning_rate, step):
                return -learning_rate * grad, {}

        optimizer = Forgetful()
        with pytest.raises(ValueError, match=r"`Forgetful.update_one` must return the slots"):
            optimizer.update(draw(), optimizer.init(draw()), draw())
