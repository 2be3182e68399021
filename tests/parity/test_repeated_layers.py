"""One layer at several positions of a `Sequential`: its weights are shared, as in Keras."""

import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

X = np.sin(np.arange(64 * 4)).reshape(64, 4).astype("float32")
Y = X[:, :2] * X[:, 1:3]


def repeated(library, declared=True):
    layers = library.layers
    hidden = layers.Dense(4, "tanh", kernel_regularizer=library.regularizers.L2(0.1))
    norm = layers.BatchNormalization(name="norm")
    inputs = [library.Input((4,))] if declared else []
    return library.Sequential([*inputs, hidden, norm, hidden, norm, layers.Dense(2)])


def filled(model):
    weights = model.get_weights()
    model.set_weights(
        [0.3 * np.cos(np.arange(w.size)).reshape(w.shape) + 0.7 * (w.ndim == 1) for w in weights]
    )
    return model


def trained(library):
    model = filled(repeated(library))
    model.compile(library.optimizers.SGD(0.1), "mse")
    history = model.fit(X, Y, epochs=3, batch_size=16, shuffle=False, verbose=0).history["loss"]
    return model, history


def test_training_as_in_keras():
    (theirs, expected), (ours, losses) = trained(keras), trained(fjax)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert len(ours.weights) == len(ours.get_weights()) == 8
    for weight, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.predict(X, verbose=0), theirs.predict(X, verbose=0), rtol=1e-4)
    names = ["dense", "norm", "dense", "norm", "dense_1"]
    assert [layer.name for layer in ours.layers] == names
    assert ours.layers[0] is ours.layers[2] is ours.get_layer("dense")
    assert ours.get_layer(index=2) is ours.layers[2]


def test_the_summary_has_a_row_for_each_call():
    lines = []
    repeated(fjax).summary(print_fn=lines.append)
    keras.utils.clear_session()
    theirs = []
    repeated(keras).summary(print_fn=lambda text, **_: theirs.append(text))
    ours, theirs = ("\n".join(text).split() for text in (lines, theirs))
    assert [word for word in ours if word.isalnum()] == [w for w in theirs if w.isalnum()]


@pytest.mark.parametrize("copied", ["file", "config", "clone", "data first"])
def test_a_copy_shares_the_weights_too(tmp_path, copied):
    model = filled(repeated(fjax))
    if copied == "file":
        model.save(tmp_path / "model.fjax")
        copy = fjax.models.load_model(tmp_path / "model.fjax")
    elif copied == "config":
        copy = fjax.Sequential.from_config(model.get_config())
    elif copied == "clone":
        copy = fjax.models.clone_model(model)
    else:
        copy = repeated(fjax, declared=False)
        copy(X[:1])
    copy.set_weights(model.get_weights())
    assert copy.layers[0] is copy.layers[2]
    np.testing.assert_array_equal(copy.predict(X, verbose=0), model.predict(X, verbose=0))


def test_layers_are_added_and_removed():
    hidden = fjax.layers.Dense(4)
    model = fjax.Sequential([fjax.Input((4,)), hidden])
    model.add(hidden)
    kernel = hidden.kernel.numpy()
    np.testing.assert_allclose(model(X), X @ kernel @ kernel, rtol=1e-5, atol=1e-6)
    assert model.pop() is hidden
    np.testing.assert_allclose(model(X), X @ kernel, rtol=1e-5, atol=1e-6)
    assert len(model.weights) == 2


def test_the_inputs_of_each_call_must_fit():
    wide = fjax.layers.Dense(5)
    with pytest.raises(ValueError, match=r"\(1, 5\)|5"):
        fjax.Sequential([fjax.Input((4,)), wide, wide])


def test_a_wrong_order_is_an_error():
    config = repeated(fjax).get_config()
    with pytest.raises(ValueError, match="`order` must have the positions of the 3 layers"):
        fjax.Sequential.from_config({**config, "order": [0, 1, 7]})
    with pytest.raises(ValueError, match="`order` must have the positions"):
        fjax.core.Serial((wide := fjax.layers.Dense(5), wide), order=(1, 0))
