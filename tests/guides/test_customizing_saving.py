"""Models that describe the arguments of their own `compile` in a file."""

import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)


def test_compile_with_arguments_of_its_own(compare, fill, data, tmp_path):
    x, _ = data

    def program(library):
        def tenth(y_true, y_pred):
            return library.ops.sum(library.ops.square(y_pred - y_true) / 10.0, axis=1)

        class OwnCompile(library.Model):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.dense = library.layers.Dense(4)

            def call(self, inputs):
                return self.dense(inputs)

            def compile(self, optimizer, loss_fn, measures):
                super().compile(optimizer=optimizer, loss=loss_fn, metrics=measures)
                self.used = (optimizer, loss_fn, measures)

            def get_compile_config(self):
                return dict(zip(("optimizer", "loss_fn", "measures"), self.used, strict=True))

            def compile_from_config(self, config):
                restore = library.saving.deserialize_keras_object
                self.compile(**{name: restore(value) for name, value in config.items()})

        model = OwnCompile()
        model(x)
        fill(model)
        model.compile(optimizer="sgd", loss_fn=tenth, measures=["mae"])
        path = str(tmp_path / f"{library.__name__}.keras")
        model.fit(x, x[:, :4], shuffle=False, verbose=0)
        model.save(path)
        objects = {"OwnCompile": OwnCompile, "tenth": tenth}
        again = library.models.load_model(path, custom_objects=objects)
        assert again.used == ("sgd", tenth, ["mae"])
        return again.fit(x, x[:, :4], epochs=2, shuffle=False, verbose=0).history

    compare(program)


def test_a_class_without_these_methods_cannot_read_the_file(tmp_path):
    class Own(fjax.Model):
        def __init__(self):
            super().__init__()
            self.dense = fjax.layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs)

    class Described(Own):
        def get_compile_config(self):
            return {"rate": 0.5}

        def compile_from_config(self, config):
            self.compile(fjax.optimizers.SGD(config["rate"]), "mse")

    model = Described()
    model(np.ones((2, 3)))
    model.compile(fjax.optimizers.SGD(0.5), "mse")
    model.save(tmp_path / "model.keras")
    again = fjax.models.load_model(tmp_path / "model.keras", {"Described": Described})
    assert float(again.optimizer.learning_rate) == 0.5
    with pytest.raises(fjax.saving.ModelFileError, match="has no `get_compile_config`"):
        fjax.models.load_model(tmp_path / "model.keras", {"Described": Own})


HOOKS = [
    "save_assets", "load_assets", "save_own_variables", "load_own_variables",
    "get_build_config", "build_from_config",
]  # fmt: skip


@pytest.mark.parametrize("hook", HOOKS)
def test_a_layer_that_says_how_it_is_saved_cannot_be_saved(tmp_path, hook):
    def own(self, *arguments):
        raise AssertionError

    class Outer(fjax.layers.Layer):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def call(self, inputs):
            return self.inner(inputs)

    class Whole(fjax.Model):
        def call(self, inputs):
            return inputs

    inner = type("Own", (fjax.layers.Dense,), {hook: own})
    models = [fjax.Sequential([fjax.Input((3,)), layer]) for layer in (inner(2), Outer(inner(2)))]
    models.append(type("OwnModel", (Whole,), {hook: own})())
    for model in models:
        model(np.ones((1, 3), "float32"))
        for save in (model.save, model.save_weights):
            with pytest.raises(TypeError, match=rf"`Own(Model)?\.{hook}`: saving calls no methods"):
                save(tmp_path / "model.keras")
