"""Models as graphs of layers: several inputs and outputs, shared layers, models within models."""

import numpy as np
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)


def test_a_classifier_trains_evaluates_and_predicts(compare, fill, data):
    x, y = data

    def program(library):
        inputs = library.Input(shape=(8,), name="features")
        hidden = library.layers.Dense(6, activation="relu")(inputs)
        hidden = library.layers.Dense(6, activation="relu")(hidden)
        model = library.Model(inputs=inputs, outputs=library.layers.Dense(3)(hidden), name="mlp")
        fill(model)
        model.compile(
            loss=library.losses.SparseCategoricalCrossentropy(from_logits=True),
            optimizer=library.optimizers.RMSprop(),
            metrics=["accuracy"],
        )
        history = model.fit(x, y, batch_size=16, epochs=2, validation_split=0.25, shuffle=False,
                            verbose=0)  # fmt: skip
        return history.history, model.evaluate(x, y, verbose=0), model.predict(x, verbose=0)

    history, (loss, accuracy), _ = compare(program)
    assert len(history["val_loss"]) == 2 and 0 <= accuracy <= 1 and loss > 0


def test_inner_models_share_layers_and_intermediate_outputs_are_models(compare, fill, data):
    x, _ = data

    def program(library):
        layers = library.layers
        inputs = library.Input((8,), name="encoder_input")
        code = layers.Dense(4, activation="tanh", name="code")(inputs)
        encoder = library.Model(inputs, code, name="encoder")
        decoder_input = library.Input((4,))
        decoder = library.Model(decoder_input, layers.Dense(8)(decoder_input), name="decoder")
        autoencoder = library.Model(inputs, decoder(encoder(inputs)), name="autoencoder")
        fill(autoencoder)
        autoencoder.compile("sgd", "mse")
        autoencoder.fit(x, x, epochs=2, shuffle=False, verbose=0)
        features = library.Model(encoder.inputs, encoder.get_layer("code").output)
        return encoder(x), features([x]), decoder(encoder(x)), autoencoder.get_weights()

    encoded, features, *_ = compare(program)
    np.testing.assert_array_equal(encoded, features)


def test_several_inputs_and_outputs_with_losses_by_name(compare, fill, data):
    x, y = data

    def program(library):
        layers = library.layers
        words = library.Input((None,), name="words", dtype="int32")
        tags = library.Input((3,), name="tags")
        text = layers.LSTM(4)(layers.Embedding(10, 5)(words))
        joined = layers.concatenate([text, tags])
        rank = layers.Dense(1, name="rank")(joined)
        kind = layers.Dense(3, name="kind")(joined)
        model = library.Model([words, tags], {"rank": rank, "kind": kind})
        fill(model)
        model.compile(
            optimizer="adam",
            loss={
                "rank": library.losses.MeanSquaredError(),
                "kind": library.losses.SparseCategoricalCrossentropy(from_logits=True),
            },
            loss_weights={"rank": 1.0, "kind": 0.2},
        )
        words_in = (np.abs(x[:, :4]) * 20).astype("int32")
        history = model.fit(
            {"words": words_in, "tags": x[:, :3]},
            {"rank": x[:, :1], "kind": y},
            epochs=2, batch_size=16, shuffle=False, verbose=0,
        )  # fmt: skip
        return history.history["loss"], model.predict([words_in, x[:, :3]], verbose=0)

    losses, _ = compare(program)
    assert losses[1] < losses[0]


def test_a_shared_layer_and_arithmetic_of_symbolic_tensors(compare, fill, data):
    x, _ = data

    def program(library):
        ops = library.ops
        left, right = library.Input((8,)), library.Input((8,))
        tower = library.layers.Dense(4, activation="relu")
        distance = ops.sqrt(ops.sum(ops.square(tower(left) - tower(right)), -1, keepdims=True))
        scaled = 1.0 - distance / (1.0 + ops.max(distance))
        model = fill(library.Model([left, right], scaled))
        return model.predict([x, x[::-1]], verbose=0), len(model.weights)

    _, count = compare(program)
    assert count == 2


def test_layers_of_a_graph_and_the_graph_of_a_config(compare, fill, data):
    x, _ = data

    def program(library):
        inputs = library.Input((8,), name="x")
        hidden = library.layers.Dense(5, "relu", name="hidden")(inputs)
        outputs = library.layers.Add(name="sum")(
            [library.layers.Dense(5, name="short")(inputs), hidden]
        )
        model = fill(library.Model(inputs, outputs, name="net"))
        copy = library.Model.from_config(model.get_config())
        copy.set_weights(model.get_weights())
        return [layer.name for layer in model.layers], model.count_params(), copy(x)

    names, *_ = compare(program)
    assert names[-1] == "sum"
