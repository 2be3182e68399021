"""The end of a training that gets no better, in whole runs; the decisions are tested by Keras's."""

import numpy as np
import pytest

from fjax.callbacks import EarlyStopping, LambdaCallback

pytestmark = pytest.mark.short


def test_the_best_weights_come_back(data, make_model):
    x, y = data
    model, kept = make_model(rate=0.3), []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.get_weights()))
    stop = EarlyStopping(patience=2, restore_best_weights=True)
    options = {"validation_data": (x[:20], 1 - y[:20]), "epochs": 30, "verbose": 0}
    history = model.fit(x, y, callbacks=[keep, stop], **options)
    values = history.history["val_loss"]
    assert stop.best_epoch == int(np.argmin(values)) == len(values) - 3
    assert stop.best == values[stop.best_epoch]
    for best, weight, last in zip(kept[-3], model.get_weights(), kept[-1], strict=True):
        np.testing.assert_array_equal(best, weight)
        assert not np.array_equal(best, last)


def test_epochs_without_validation_are_passed_over(data, make_model):
    x, y = data
    stop = EarlyStopping(patience=2, min_delta=10.0)
    history = make_model().fit(
        x, y, validation_data=(x, y), validation_freq=3, epochs=20, verbose=0, callbacks=[stop]
    )
    # Validated after epochs 3, 6 and 9: two of them no better than the first.
    assert len(history.epoch) == 9


def test_an_output_s_loss_is_better_below():
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
