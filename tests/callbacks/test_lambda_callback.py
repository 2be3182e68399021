"""Functions at the hooks of a run."""

from fjax.callbacks import CallbackList, LambdaCallback
from fjax.callbacks.lambda_callback import HOOKS


def test_every_hook_is_called_as_a_method_would_be(data, make_model):
    heard = []
    hooks = {hook: (lambda *args, hook=hook: heard.append((hook, args[:-1]))) for hook in HOOKS}
    callback = LambdaCallback(**hooks)
    model = make_model()
    x, y = data
    model.fit(x, y, batch_size=20, validation_data=(x, y), verbose=0, callbacks=[callback])
    model.predict(x, verbose=0, callbacks=[callback])
    # The older names are called by the newer hooks, which were replaced.
    assert {hook for hook, _ in heard} == set(HOOKS) - {
        "on_batch_begin", "on_batch_end", "on_epoch_resume",
    }  # fmt: skip
    assert ("on_train_batch_end", (1,)) in heard and ("on_epoch_end", (0,)) in heard


def test_a_batch_hook_alone_makes_the_loop_stop_at_steps():
    whole = LambdaCallback(on_epoch_end=lambda epoch, logs: None)
    steps = LambdaCallback(on_batch_end=lambda batch, logs: None)
    assert not CallbackList([whole], None).steps("train").needs_each_step
    assert CallbackList([steps], None).steps("train").needs_each_step


def test_functions_that_do_not_tell_their_arguments():
    heard = []
    callback = LambdaCallback(on_train_end=heard.append, on_epoch_end=max)
    callback.on_train_end({"loss": 1.0})
    assert heard == [{"loss": 1.0}]
    assert callback.on_epoch_end(1, 2) == 2
