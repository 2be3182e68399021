"""LambdaCallback."""

from fjax.callbacks import CallbackList, LambdaCallback
from fjax.callbacks.lambda_callback import HOOKS


def test_every_hook_is_called(data, make_model):
    calls = []
    hooks = {hook: (lambda *args, hook=hook: calls.append((hook, args[:-1]))) for hook in HOOKS}
    callback = LambdaCallback(**hooks)
    model = make_model()
    x, y = data
    model.fit(x, y, batch_size=20, validation_data=(x, y), verbose=0, callbacks=[callback])
    model.predict(x, verbose=0, callbacks=[callback])
    # The older hooks are called by the newer ones, which the functions replace.
    assert {hook for hook, _ in calls} == set(HOOKS) - {
        "on_batch_begin", "on_batch_end", "on_epoch_resume",
    }  # fmt: skip
    assert ("on_train_batch_end", (1,)) in calls and ("on_epoch_end", (0,)) in calls


def test_only_batch_hooks_need_each_step():
    epochs = LambdaCallback(on_epoch_end=lambda epoch, logs: None)
    steps = LambdaCallback(on_batch_end=lambda batch, logs: None)
    assert not CallbackList([epochs], None).steps("train").needs_each_step
    assert CallbackList([steps], None).steps("train").needs_each_step


def test_functions_without_signature():
    calls = []
    callback = LambdaCallback(on_train_end=calls.append, on_epoch_end=max)
    callback.on_train_end({"loss": 1.0})
    assert calls == [{"loss": 1.0}]
    assert callback.on_epoch_end(1, 2) == 2
