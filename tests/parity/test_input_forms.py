"""`InputSpec`, `Wrapper`, `Pipeline`, the forms of `InputLayer`, and shapes before data."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import fjax

MODULES = (fjax, keras)


def outcome(function):
    """Return the result, or the class of the error."""
    try:
        return function()
    except (ValueError, TypeError) as error:
        return type(error)


def checked(module, spec):
    class Checked(module.layers.Layer):
        def __init__(self):
            super().__init__()
            self.input_spec = spec(module.InputSpec)

        def call(self, inputs):
            return (
                sum(jax.tree.leaves(inputs)) if module is fjax else sum(keras.tree.flatten(inputs))
            )

    return Checked()


SPECS = {
    "ndim": lambda spec: spec(ndim=3, axes={-1: 8}),
    "bounds": lambda spec: spec(min_ndim=2, max_ndim=3),
    "shape": lambda spec: spec(shape=(None, 4, 8)),
    "batch": lambda spec: spec(shape=(2, None, 8)),
    "dtype": lambda spec: spec(dtype="int32"),
    "squeezed": lambda spec: spec(shape=(None, 4, 1), allow_last_axis_squeeze=True),
    "none": lambda spec: None,
}
SHAPES = [(2, 4, 8), (2, 4, 7), (3, 8), (3, 4, 8), (2, 4), (2, 4, 1), (2, 5), (1, 1, 1, 8), (5,)]


class TestInputSpec:
    @pytest.mark.parametrize("name", SPECS)
    def test_arrays_are_refused_as_in_keras(self, name):
        for shape in SHAPES:
            for dtype in ("float32", "int32"):
                x = np.ones(shape, dtype)
                results = [
                    outcome(lambda m=m, x=x: checked(m, SPECS[name])(x).shape) for m in MODULES
                ]
                assert results[0] == results[1], (shape, dtype)

    @pytest.mark.parametrize("name", SPECS)
    def test_symbolic_tensors_are_refused_as_in_keras(self, name):
        for shape in ((4, 8), (None, 8), (4, None), (None, None), (8,), (4,), (4, 1), (256, 8)):
            results = [
                outcome(lambda m=m, s=shape: checked(m, SPECS[name])(m.Input(s)).shape)
                for m in MODULES
            ]
            assert results[0] == results[1], shape

    @pytest.mark.parametrize(
        ("spec", "inputs"),
        [
            (lambda spec: [spec(ndim=1), spec(ndim=2)], lambda x: [x[0], x]),
            (lambda spec: [spec(ndim=1), spec(ndim=1)], lambda x: [x[0], x]),
            (lambda spec: [spec(ndim=2)], lambda x: [x, x]),
            (lambda spec: {"a": spec(ndim=1), "b": spec()}, lambda x: {"b": x, "a": x[0]}),
            (lambda spec: [spec(ndim=1), None], lambda x: [x[0], x]),
            (lambda spec: [spec(ndim=1, name="b"), spec(ndim=2, name="a")],
             lambda x: {"b": x[0], "a": x}),
            (lambda spec: [spec(ndim=1, name="b"), spec(ndim=2, name="c")],
             lambda x: {"b": x[0], "a": x}),
        ],
    )  # fmt: skip
    def test_several_inputs(self, spec, inputs):
        x = np.ones((3, 3), "float32")
        results = [outcome(lambda m=m: checked(m, spec)(inputs(x)).shape) for m in MODULES]
        assert results[0] == results[1]

    def test_one_that_build_sets_is_checked_in_fit(self):
        class Later(fjax.layers.Layer):
            def build(self, input_shape):
                self.input_spec = fjax.InputSpec(axes={-1: input_shape[-1] + 1})

            def call(self, inputs):
                return inputs

        with pytest.raises(ValueError, match=r"`Later`: the input must have the size 9 of axis -1"):
            Later()(np.ones((2, 8)))

    def test_a_size_that_is_a_placeholder_is_checked_when_the_layer_runs(self):
        layer = checked(fjax, lambda spec: spec(axes={1: 8}))
        with pytest.raises(ValueError, match=r"size 8 of axis 1, received float32 of shape \(11"):
            jax.jit(lambda x: layer.apply({}, {}, x)[0])(jnp.ones((11, 256)))

    def test_configurations_and_text_are_keras(self):
        for arguments in ({"ndim": 3, "axes": {-1: 8}}, {"shape": (None, 4)}, {"max_ndim": 3}):
            ours, theirs = (module.InputSpec(**arguments) for module in MODULES)
            assert repr(ours) == repr(theirs)
            assert {**ours.get_config(), **theirs.get_config()} == ours.get_config()
            assert fjax.InputSpec.from_config(theirs.get_config()) == ours

    @pytest.mark.parametrize(
        "arguments", [{"axes": {"a": 1}}, {"axes": 3}, {"ndim": 2, "axes": {2: 1}}]
    )
    def test_mistakes(self, arguments):
        results = [outcome(lambda m=m: m.InputSpec(**arguments)) for m in MODULES]
        assert results[0] is results[1]
        with pytest.raises(TypeError, match="must be an `InputSpec`"):
            checked(fjax, lambda spec: (None, 8))(np.ones((2, 8)))


def scaled(module):
    @module.saving.register_keras_serializable("names")
    class Scaled(module.layers.Wrapper):
        def __init__(self, layer, factor=2.0, **kwargs):
            super().__init__(layer, **kwargs)
            self.factor = factor

        def build(self, input_shape=None):
            super().build(input_shape)
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

        def call(self, inputs):
            return self.layer(inputs) * self.factor * self.scale

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    return Scaled


class TestWrapper:
    def test_it_computes_and_describes_itself_as_in_keras(self, tmp_path):
        x, results = np.linspace(0, 1, 12, dtype="float32").reshape(3, 4), []
        for module, file in zip(MODULES, ("a.fjax", "a.keras"), strict=True):
            inner = module.layers.Dense(2, kernel_initializer="ones", name="inner")
            model = module.Sequential([module.Input((4,)), scaled(module)(inner, 3.0, name="w")])
            model.compile("sgd", "mse")
            model.fit(x, x[:, :2], verbose=0)
            model.save(tmp_path / file)
            loaded = module.models.load_model(tmp_path / file)
            np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
            config = loaded.layers[-1].get_config()
            paths = sorted(variable.path.partition("/")[2] for variable in model.variables)
            results.append((config["factor"], config["layer"]["class_name"], paths))
            results.append(model.predict(x, verbose=0))
        assert results[0] == results[2]
        np.testing.assert_allclose(results[1], results[3], rtol=1e-5)

    def test_something_else_than_a_layer_raises(self):
        with pytest.raises(TypeError, match="Expected a layer") as caught:
            scaled(fjax)(3)
        assert "In `layer` of `Scaled`." in caught.value.__notes__


class TestPipeline:
    def test_it_is_in_training_mode_on_arrays_only(self):
        x, results = np.ones((4, 50), "float32"), []
        for module in MODULES:
            pipeline = module.layers.Pipeline(
                [module.layers.Dropout(0.5), module.layers.Rescaling(0.5), module.layers.Flatten()]
            )
            model = module.Sequential([module.Input((50,)), pipeline])
            drops = [
                bool((np.asarray(outputs) == 0).any())
                for outputs in (
                    pipeline(x),
                    pipeline(x, training=False),
                    model.predict(x, verbose=0),
                )
            ]
            names = [type(layer).__name__ for layer in pipeline.layers]
            results.append((drops, names, model.output_shape))
        assert results[0] == results[1]
        assert results[0][0] == [True, False, False]

    def test_a_model_with_one_is_saved(self, tmp_path):
        pipeline = fjax.layers.Pipeline([fjax.layers.Dense(3), fjax.layers.Rescaling(0.5)])
        model = fjax.Sequential([fjax.Input((4,)), pipeline])
        model.save(tmp_path / "model.fjax")
        loaded = fjax.models.load_model(tmp_path / "model.fjax")
        x = np.ones((2, 4), "float32")
        np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
        assert fjax.layers.Pipeline.from_config(pipeline.get_config()) == pipeline
        with pytest.raises(TypeError, match="`layers` must be a list"):
            fjax.layers.Pipeline(fjax.layers.Flatten())


DECLARED = {
    "shape": lambda m: m.layers.InputLayer((3,)),
    "batch size": lambda m: m.layers.InputLayer(shape=(3,), batch_size=5),
    "batch shape": lambda m: m.layers.InputLayer(batch_shape=(5, None)),
    "dtype": lambda m: m.layers.InputLayer((3,), dtype="int32", name="ids"),
    "flags": lambda m: m.layers.InputLayer((3,), sparse=False, ragged=False, optional=False),
    "tensor": lambda m: m.layers.InputLayer(input_tensor=m.Input((3,), batch_size=5)),
    "equal to a tensor": lambda m: m.layers.InputLayer((3,), input_tensor=m.Input((3,))),
    "nothing": lambda m: m.layers.InputLayer(),
    "two shapes": lambda m: m.layers.InputLayer((3,), batch_shape=(None, 3)),
    "two sizes": lambda m: m.layers.InputLayer(batch_size=5, batch_shape=(5, 3)),
    "another shape": lambda m: m.layers.InputLayer((4,), input_tensor=m.Input((3,))),
    "another size": lambda m: m.layers.InputLayer(batch_size=4, input_tensor=m.Input((3,))),
}


class TestInputLayer:
    @pytest.mark.parametrize("name", DECLARED)
    def test_shapes_are_keras(self, name):
        def described(module):
            layer = DECLARED[name](module)
            model = module.Model(layer.output, module.layers.Rescaling(2.0)(layer.output))
            stacked = module.Sequential([DECLARED[name](module), module.layers.Rescaling(2.0)])
            return (
                layer.batch_shape, layer.dtype, layer.output.shape, model.input_shape,
                model.output_shape, stacked.input_shape, stacked.output_shape,
            )  # fmt: skip

        results = [outcome(lambda m=m: described(m)) for m in MODULES]
        assert results[0] == results[1]

    @pytest.mark.filterwarnings("ignore:`InputLayer.batch_input_shape")
    def test_older_spellings_and_the_tensor_itself(self):
        for module in MODULES:
            tensor = module.Input((3,))
            assert module.layers.InputLayer(input_tensor=tensor).output is tensor
            assert module.layers.InputLayer(batch_input_shape=(5, 3)).batch_shape == (5, 3)
        assert fjax.layers.InputLayer((3,)) == fjax.layers.InputLayer(batch_shape=(None, 3))
        with pytest.raises(TypeError, match="`input_tensor` must be a symbolic tensor"):
            fjax.layers.InputLayer(input_tensor=np.ones(3))

    def test_the_arguments_of_input_are_in_keras_order(self):
        for module in MODULES:
            assert module.Input((3,), 5, "int32", False, False, None, "ids").shape == (5, 3)
        with pytest.raises(ValueError, match="`sparse` must be None or False"):
            fjax.Input((3,), sparse=True)


UNKNOWN = [
    ((3, 4), (None, None)), ((3, 4), (None,)), ((12,), (None, 4)), ((-1, 4), (None, None)),
    ((3, -1), (None, 4)), ((3, 4), (None, 5)), ((2, -1, 2), (None, 3)), ((3, 4), (24,)),
    ((3, 4), (12,)),
]  # fmt: skip


class TestShapesBeforeData:
    @pytest.mark.parametrize(("target", "shape"), UNKNOWN)
    def test_reshape_of_axes_of_any_size(self, target, shape):
        results = [
            outcome(lambda m=m: m.layers.Reshape(target)(m.Input(shape)).shape) for m in MODULES
        ]
        assert results[0] == results[1]

    def test_reshape_in_a_model_checks_the_data(self):
        model = fjax.Sequential([fjax.Input((None, None)), fjax.layers.Reshape((3, 4))])
        assert model.output_shape == (None, 3, 4)
        x = np.arange(24.0, dtype="float32").reshape(2, 6, 2)
        np.testing.assert_array_equal(model.predict(x, verbose=0), x.reshape(2, 3, 4))
        with pytest.raises(ValueError, match=r"cannot reshape samples of shape \(6, 3\)"):
            model.predict(np.zeros((2, 6, 3)), verbose=0)
        # The sizes that stand for axes of any size are checked in data, too.
        with pytest.raises(ValueError, match=r"samples of shape \(256, 512\)"):
            model.predict(np.zeros((11, 256, 512)), verbose=0)

    @pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
    @pytest.mark.parametrize("shape", [(3,), (1,), ()])
    def test_discretization_before_adapt(self, mode, shape):
        described = []
        for module in MODULES:
            layer = module.layers.Discretization(num_bins=4, output_mode=mode)
            outputs = layer(module.Input(shape))
            described.append((outputs.shape, outputs.dtype))
        assert described[0] == described[1]

    def test_layers_are_adapted_after_the_graph(self):
        x = np.arange(12.0, dtype="float32").reshape(6, 2)
        inputs = fjax.Input((2,))
        bins, scale = fjax.layers.Discretization(num_bins=3, output_mode="count"), None
        scale = fjax.layers.Normalization()
        lookup = fjax.layers.IntegerLookup(
            max_tokens=8, output_mode="count", pad_to_max_tokens=True
        )
        ids = fjax.Input((2,), dtype="int32")
        outputs = [bins(inputs), scale(inputs), lookup(ids)]
        assert [output.shape for output in outputs] == [(None, 3), (None, 2), (None, 8)]
        for layer, data in ((bins, x), (scale, x), (lookup, x.astype("int32"))):
            layer.adapt(data)
        model = fjax.Model([inputs, ids], outputs)
        results = model.predict([x, x.astype("int32")], verbose=0)
        for layer, result, data in zip((bins, scale, lookup), results, (x, x, x.astype("int32")),
                                       strict=True):  # fmt: skip
            np.testing.assert_allclose(result, layer(data), rtol=1e-6)

    def test_a_model_that_is_not_adapted_says_so(self):
        layers = [fjax.Input((2,)), fjax.layers.Discretization(num_bins=3)]
        with pytest.raises(ValueError, match="no boundaries yet"):
            fjax.Sequential(layers).predict(np.ones((2, 2)), verbose=0)
        with pytest.raises(ValueError, match="no boundaries yet"):
            jax.jit(fjax.layers.Discretization(num_bins=3))(jnp.ones((11, 2)))
