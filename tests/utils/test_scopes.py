"""Scopes, `remat`, `Config`, and names of Keras that are absent, compared with Keras."""

import copy
import pickle

import keras
import numpy as np
import pytest

import fjax


def test_paths_of_variables_begin_with_the_names_of_scopes():
    paths = []
    for library in (fjax, keras):
        with library.name_scope("outer"):
            first = library.Variable(1.0, name="a")
            with library.name_scope("inner"):
                second = library.Variable(1.0, name="a")
        paths.append([first.path, second.path, library.Variable(1.0, name="a").path, first.name])
    assert paths[0] == paths[1]
    for name in ("a/b", 3):
        for library in (fjax, keras):
            with pytest.raises(ValueError, match="name"), library.name_scope(name):
                pass


def test_remat_keeps_values_and_gradients():
    results = []
    for library in (fjax, keras):

        class Squares(library.layers.Layer):
            def __init__(self, saves, remat=library.remat):
                super().__init__()
                self.saves, self.wrap = saves, remat

            def build(self, input_shape):
                self.w = self.add_weight(shape=(3,), initializer="ones", name="w")

            def call(self, inputs):
                function = self.wrap(self.squares) if self.saves else self.squares
                return function(inputs)

            def squares(self, inputs):
                return (inputs * self.w) ** 2

        for saves in (True, False):
            model = library.Sequential([library.Input((3,)), Squares(saves)])
            model.compile("sgd", "mse")
            x = np.linspace(-1, 1, 12, dtype="f4").reshape(4, 3)
            model.fit(x, x, epochs=2, shuffle=False, verbose=0)
            results.append(model.get_weights()[0])
    for weight in results[1:]:
        np.testing.assert_allclose(weight, results[0], rtol=1e-6)
    with pytest.raises(TypeError, match="`remat` takes a function of arrays, received 3"):
        fjax.remat(3)


def test_layers_are_operations():
    for library in (fjax, keras):
        assert isinstance(library.layers.Dense(1), library.Operation)


def test_named_values_are_those_of_keras():
    seen = []
    for library in (fjax, keras):
        config = library.utils.Config(rate=0.1, b=2)
        config.seed, config["a"] = 3, [1]
        del config["b"]
        config.update({"c": 1})
        seen.append([
            config.as_dict(), config.to_json(), list(config), len(config), "a" in config,
            config.get("z", 5), config.pop("c"), sorted(config.items()), config.frozen,
        ])  # fmt: skip
        config.freeze()
        for change in (lambda c: setattr(c, "x", 1), lambda c: c.pop("a")):
            with pytest.raises(ValueError, match="frozen"):
                change(config)
        config.unfreeze()
        with pytest.raises(AttributeError, match=r"rat\b"):
            config.rat  # noqa: B018
        config.x = 1
    assert seen[0] == seen[1]
    ours = fjax.utils.Config(rate=0.1)
    assert copy.deepcopy(ours).rate == pickle.loads(pickle.dumps(ours)).rate == 0.1


def test_absent_names_say_what_to_use():
    with pytest.raises(AttributeError, match="'TFSMLayer': a SavedModel is a program of TensorF"):
        fjax.layers.TFSMLayer  # noqa: B018
    with pytest.raises(AttributeError, match="'Dens'"):
        fjax.layers.Dens  # noqa: B018
    assert not hasattr(fjax, "distillation") and fjax.ops.relu
    with pytest.raises(RuntimeError, match="loads no code from files"):
        fjax.config.enable_unsafe_deserialization()
