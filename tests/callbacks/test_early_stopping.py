"""EarlyStopping in whole runs; its decisions are compared with Keras in the parity tests."""

import numpy as np
import pytest

from fjax.callbacks import EarlyStopping, LambdaCallback

pytestmark = pytest.mark.short


def test_restore_best_weights(data, make_model):
    x, y = data
    model, weights = make_model(rate=0.3), []
    record = LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model.get_weights()))
    stop = EarlyStopping(patience=2, restore_best_weights=True)
    options = {"validation_data": (x[:20], 1 - y[:20]), "epochs": 30, "verbose": 0}
    history = model.fit(x, y, callbacks=[record, stop], **options)
    values = history.history["val_loss"]
    assert stop.best_epoch == int(np.argmin(values)) == len(values) - 3
    assert stop.best == values[stop.best_epoch]
    for best, weight, last in zip(weights[-3], model.get_weights(), weights[-1], strict=True):
        np.testing.assert_array_equal(best, weight)
        assert not np.array_equal(best, last)


def test_epochs_without_validation_are_ignored(data, make_model):
    x, y = data
    stop = EarlyStopping(patience=2, min_delta=10.0)
    history = make_model().fit(
        x, y, validation_data=(x, y), validation_freq=3, epochs=20, verbose=0, callbacks=[stop]
    )
    # Validation runs after epochs 3, 6 and 9; the last two do not improve on the first.
    assert len(history.epoch) == 9


def test_loss_of_an_output_is_minimized():
    import fjax
    from fjax.layers import Dense, Input

    inputs = Input((2,))
    outputs = [Dense(1, name="a")(inputs), Dense(1, name="b")(inputs)]
    model = fjax.Model(inputs, outputs, seed=0)
    model.compile("sgd", "mse", metrics=[["mae"], ["mae"]])
    x = np.ones((8, 2), "float32")
    stops = [EarlyStopping(name) for name in ("a_loss", "val_b_loss", "val_a_mae")]
    y = [x[:, 0], x[:, 1]]
    model.fit(x, y, validation_data=(x, y), epochs=3, verbose=0, callbacks=stops)
    assert all(stop._direction == "down" for stop in stops)
    with pytest.raises(ValueError, match="Did you mean `val_a_loss`"):
        model.fit(x, y, validation_data=(x, y), callbacks=[EarlyStopping("val_a_los")])
