"""A search by Optuna, which needs no wrapper: the objective is a function, and a callback prunes.

Optuna proposes sizes and learning rates, and prunes trials whose validation loss is behind. Prints
the best size and rate, and the test accuracy of a model with them.
"""

import argparse

import optuna

import fjax


class Pruning(fjax.callbacks.Callback):
    """Reports the validation loss of each epoch to Optuna, and ends trials that Optuna prunes."""

    def __init__(self, trial):
        super().__init__()
        self.trial = trial

    def on_epoch_end(self, epoch, logs=None):
        self.trial.report(logs["val_loss"], epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned()


def make_model(units: int, learning_rate: float) -> fjax.Sequential:
    """Return a compiled classifier of the digits."""
    model = fjax.Sequential([
        fjax.Input((8, 8)),
        fjax.layers.Flatten(),
        fjax.layers.Rescaling(1 / 16),
        fjax.layers.Dense(units, activation="relu"),
        fjax.layers.Dropout(0.2),
        fjax.layers.Dense(10, activation="softmax"),
    ], seed=0)  # fmt: skip
    adam = fjax.optimizers.Adam(learning_rate)
    model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main(trials: int = 20, epochs: int = 20) -> tuple[optuna.Study, float]:
    """Search, then train with the best parameters; return the study and the test accuracy."""
    (x_train, y_train), (x_test, y_test) = fjax.datasets.digits.load_data()

    def objective(trial):
        # Each of the three sizes is compiled once; a learning rate is an input of the program.
        model = make_model(
            trial.suggest_categorical("units", [16, 32, 64]),
            trial.suggest_float("learning_rate", 1e-4, 0.3, log=True),
        )
        history = model.fit(
            x_train, y_train, epochs=epochs, validation_split=0.2, verbose=0,
            callbacks=[Pruning(trial)],
        )  # fmt: skip
        return history.history["val_loss"][-1]

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1),
    )
    study.optimize(objective, n_trials=trials)
    pruned = sum(trial.state == optuna.trial.TrialState.PRUNED for trial in study.trials)
    print(f"{len(study.trials)} trials, {pruned} of them pruned")
    print(f"best: validation loss {study.best_value:.3f} with {study.best_params}")

    model = make_model(**study.best_params)
    model.fit(x_train, y_train, epochs=epochs, verbose=0)
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"test accuracy: {accuracy:.3f}")
    return study, accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=20)
    main(**vars(parser.parse_args()))
