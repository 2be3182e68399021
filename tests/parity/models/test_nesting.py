"""Models within models, models called twice, and submodels of a trained model."""

import keras
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)


def three_deep(keras):
    """A sequential model in a graph in a graph; the inner graph is called twice."""
    inner = keras.Sequential(
        [
            keras.Input((16,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.BatchNormalization(momentum=0.9),
        ],
        name="inner",
    )
    coded = keras.Input((16,))
    middle = keras.Model(
        coded, keras.layers.Dense(16, activation="tanh")(inner(coded)), name="middle"
    )
    inputs = keras.Input((8, 8))
    values = keras.layers.Dense(16)(keras.layers.Flatten()(inputs))
    values = values + middle(middle(values))
    return keras.Model(inputs, keras.layers.Dense(10, activation="softmax", name="last")(values))


def compiled(keras, model):
    model.compile(
        keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )


@pytest.fixture(scope="module")
def trained(judge, digits):
    """Return the trained model of both libraries."""
    return judge.compare(three_deep, compiled, *digits)


def test_a_model_in_a_model_in_a_model(judge, trained):
    for way in (["middle"], ["middle", "inner"]):
        weights = []
        for model in trained:
            for name in way:
                model = model.get_layer(name)
            weights.append(model.get_weights())
        judge.same_outputs(*weights, 1e-3, 1e-4)
    # In fjax the operator `+` is a layer; in Keras it is an operation.
    names = [[layer.name.split("_")[0] for layer in model.layers] for model in trained]
    assert [name for name in names[0] if name != "add"] == names[1]


def test_a_model_that_ends_at_a_layer(judge, trained, digits):
    x, _ = digits
    outputs = []
    for library, model in zip((fjax, keras), trained, strict=True):
        flat, dense = model.layers[1], model.layers[2]
        last = model.get_layer("last")
        models = [
            library.Model(inputs=model.input, outputs=dense.output),
            library.Model(model.inputs, [flat.output, last.input, last.output]),
            library.Model(model.input, {"end": model.output, "hidden": dense.output}),
            library.Model(dense.output, model.output),
            library.Model([dense.output], [last.input, model.output]),
        ]
        hidden = models[0].predict(x[:64], verbose=0)
        outputs.append(
            [each.predict(x[:64], verbose=0) for each in models[:3]]
            + [each.predict(hidden, verbose=0) for each in models[3:]]
        )
        judge.same_outputs(outputs[-1][3], model.predict(x[:64], verbose=0))
    judge.same_outputs(*outputs, 1e-3, 1e-4)


def test_a_submodel_is_trained_with_the_whole_model(judge, trained, digits):
    x, y = digits
    heads = []
    for library, model in zip((fjax, keras), trained, strict=True):
        hidden = model.layers[2].output
        head = library.Model(model.input, library.layers.Dense(10, name="head")(hidden))
        head.get_layer("head").set_weights(
            [0.1 * weight for weight in model.get_layer("last").get_weights()]
        )
        loss = library.losses.SparseCategoricalCrossentropy(from_logits=True)
        head.compile(library.optimizers.SGD(0.01), loss)
        heads.append((head, model))
    runs = [judge.run(head, x, y, epochs=1) for head, _ in heads]
    judge.same_runs(*runs)
    wholes = [model.predict(x[:64], verbose=0) for _, model in heads]
    judge.same_outputs(*wholes, 1e-3, 1e-3)
