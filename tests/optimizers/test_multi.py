"""`MultiOptimizer`, compared with Keras."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import fjax
from fjax import optimizers
from fjax.optimizers import SGD, Adam, LossScaleOptimizer, MultiOptimizer, OptimizerMap

ROWS = np.linspace(-1, 1, 60, dtype="float32").reshape(20, 3)
HOW = {"batch_size": 4, "shuffle": False, "verbose": 0}


def by_map(module):
    rules = module.optimizers
    rate = rules.schedules.ExponentialDecay(0.1, 1, 0.9)
    chosen = rules.OptimizerMap(rules.SGD(0.1, momentum=0.9))
    chosen["first/.*"] = rules.Adam(rate)
    chosen["last/bias"] = rules.SGD(0.5)
    return rules.MultiOptimizer(chosen, loss_scale_factor=4.0)


def by_function(module):
    clipped, plain = module.optimizers.Adam(0.1, global_clipnorm=0.01), module.optimizers.RMSprop()
    return module.optimizers.MultiOptimizer(
        lambda variable: clipped if "kernel" in variable.path else plain
    )


def compiled(module, optimizer):
    inputs = module.Input((3,))
    hidden = module.layers.Dense(4, "tanh", name="first", kernel_initializer="ones")(inputs)
    outputs = module.layers.Dense(2, name="last", kernel_initializer="ones")(hidden)
    model = module.Model(inputs, outputs)
    model.compile(optimizer, "mse")
    return model


@pytest.mark.parametrize("make", [by_map, by_function])
def test_fit_is_keras(make):
    results = []
    for module in (fjax, keras):
        model = compiled(module, make(module))
        history = model.fit(ROWS, ROWS[:, :2], epochs=3, **HOW).history["loss"]
        rates = sorted(float(each.learning_rate) for each in model.optimizer.optimizers)
        counts = [int(each.iterations) for each in model.optimizer.optimizers]
        results.append((history, rates, counts, int(model.optimizer.iterations)))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-6)
    assert results[0][2:] == results[1][2:]


def test_variables_are_keras_except_the_unused_rate():
    described = []
    for module in (fjax, keras):
        keras.utils.clear_session()
        model = compiled(module, by_map(module))
        model.optimizer.build(model.trainable_variables)
        names = [variable.path.partition("/")[2] for variable in model.optimizer.variables]
        described.append(names)
    assert described[0] == [described[1][0], *described[1][2:]]


def test_the_rate_of_each_optimizer_can_be_set():
    results = []
    for module in (fjax, keras):
        optimizer = by_map(module)
        model = compiled(module, optimizer)
        model.fit(ROWS, ROWS[:, :2], **HOW)
        optimizer.optimizers[1].learning_rate = 0.25
        model.optimizer.optimizers[2].learning_rate = 0.01
        results.append(model.fit(ROWS, ROWS[:, :2], **HOW).history["loss"])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-5)


def test_a_rate_that_is_set_before_compile_counts():
    optimizer = by_map(fjax)
    optimizer.optimizers[1].learning_rate = 0.25
    model = compiled(fjax, optimizer)
    assert [float(each.learning_rate) for each in model.optimizer.optimizers][1] == 0.25


def test_a_saved_model_trains_on(tmp_path):
    model = compiled(fjax, by_map(fjax))
    model.fit(ROWS, ROWS[:, :2], **HOW)
    model.save(tmp_path / "model.fjax")
    loaded = fjax.models.load_model(tmp_path / "model.fjax")
    losses = [each.fit(ROWS, ROWS[:, :2], **HOW).history["loss"] for each in (model, loaded)]
    assert losses[0] == losses[1]
    optimizer = model.optimizer.optimizer
    assert optimizers.deserialize(optimizers.serialize(optimizer)) == optimizer


def test_any_tree_of_params_works_under_jit_and_averages_are_final():
    optimizer = MultiOptimizer(OptimizerMap(SGD(0.5), {"1/.*": SGD(1.0, use_ema=True)}))
    params = [jnp.ones(2), (jnp.ones(1), {"a": jnp.ones(())})]
    state = optimizer.init(params)
    updates, state = jax.jit(optimizer.update)(params, state, params)
    assert jax.tree.map(lambda leaf: float(jnp.sum(leaf)), updates) == [-1.0, (-1.0, {"a": -1.0})]
    moved = jax.tree.map(jnp.add, params, updates)
    updates, state = optimizer.update(params, state, moved)
    final = optimizer.finalize(jax.tree.map(jnp.add, moved, updates), state)
    np.testing.assert_allclose(final[0], [0.0, 0.0])
    np.testing.assert_allclose(final[1][0], [-0.01], rtol=1e-5)


class TestMistakes:
    def test_two_matching_entries_name_the_param(self):
        optimizer = MultiOptimizer(OptimizerMap(SGD(), {"a.*": SGD(), ".*b": Adam()}))
        with pytest.raises(ValueError, match=r"'ab' matches several entries: 'a\.\*', '\.\*b'"):
            optimizer.init({"ab": jnp.ones(1)})

    def test_an_entry_without_params_warns(self):
        optimizer = MultiOptimizer(OptimizerMap(SGD(), {"encoder": Adam()}))
        with pytest.warns(UserWarning, match=r"'encoder' .* matches no .* The params are: a, b"):
            optimizer.init({"a": jnp.ones(1), "b": jnp.ones(1)})

    def test_there_is_no_learning_rate(self):
        optimizer = by_map(fjax)
        with pytest.raises(AttributeError, match=r"optimizer\.optimizers\[0\]\.learning_rate"):
            _ = optimizer.learning_rate
        with pytest.raises(AttributeError, match=r"optimizer\.optimizers\[0\]\.learning_rate"):
            optimizer.learning_rate = 0.1
        with pytest.raises(TypeError, match=r"model\.optimizer\.optimizers\[0\]"):
            compiled(fjax, optimizer).fit(
                ROWS, ROWS[:, :2], callbacks=[fjax.callbacks.LearningRateScheduler(float)], **HOW
            )

    def test_a_map_is_closed_once_it_is_used(self):
        chosen = OptimizerMap(SGD())
        MultiOptimizer(chosen)
        with pytest.raises(ValueError, match="Add all entries first"):
            chosen["a"] = SGD()

    @pytest.mark.parametrize(
        ("error", "key", "value", "message"),
        [
            (ValueError, 3, SGD(), "key must be a string"),
            (ValueError, "a", Adam(), "an entry 'a' already"),
            (TypeError, "b", LossScaleOptimizer(SGD()), "contains no other one"),
            (ValueError, "b", SGD(loss_scale_factor=2.0), "scales the loss itself"),
        ],
    )
    def test_wrong_entries(self, error, key, value, message):
        chosen = OptimizerMap(SGD(), {"a": SGD()})
        with pytest.raises(error, match=message):
            chosen[key] = value

    def test_one_object_for_two_entries_and_no_map_raise(self):
        shared = Adam()
        with pytest.raises(ValueError, match=r"first/\.\*\|second/\.\*"):
            OptimizerMap(SGD(), {"a": shared, "b": shared})
        with pytest.raises(TypeError, match="must be an `OptimizerMap`, or a function"):
            MultiOptimizer(SGD())
        with pytest.raises(TypeError, match=r"optimizer_map\(Param\(path='a'"):
            MultiOptimizer(lambda variable: "sgd").init({"a": jnp.ones(1)})
