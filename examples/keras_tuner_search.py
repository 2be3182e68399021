"""A search by Keras Tuner, with the `hp` of its guide in the function that builds the model.

The tuners of Keras Tuner train models of Keras alone; `Trials` trains those of fjax in their place.
Prints the best values, and the test accuracy of the best model. Needs `pip install keras-tuner`,
which imports Keras: set KERAS_BACKEND=jax.
"""

import argparse
import tempfile

import keras_tuner

import fjax


class Trials(keras_tuner.Tuner):
    """Trains the models of a tuner, and keeps each trial's model at its best epoch."""

    def run_trial(self, trial, *args, callbacks=(), **kwargs):
        results = []
        for _ in range(self.executions_per_trial):
            model = self._build_hypermodel(trial.hyperparameters)
            best = BestEpoch(self.oracle.objective, self._get_checkpoint_fname(trial.trial_id))
            self.hypermodel.fit(
                trial.hyperparameters, model, *args, callbacks=[*callbacks, best], **kwargs
            )
            results.append(best.logs)
        return results

    def load_model(self, trial):
        return fjax.models.load_model(self._get_checkpoint_fname(trial.trial_id))


class BestEpoch(fjax.callbacks.Callback):
    """Saves the model whenever the objective is the best so far."""

    def __init__(self, objective, file):
        super().__init__()
        self.objective, self.file, self.logs = objective, file, None

    def on_epoch_end(self, epoch, logs=None):
        value = self.objective.get_value(logs)
        if self.logs is None or self.objective.better_than(
            value, self.objective.get_value(self.logs)
        ):
            self.logs = dict(logs)
            self.model.save(self.file)


# Each tuner of Keras Tuner becomes one of fjax by this second base.
class RandomSearch(keras_tuner.RandomSearch, Trials):
    pass


class Hyperband(keras_tuner.Hyperband, Trials):
    def _build_hypermodel(self, hp):
        """Return a model, which continues a trial of the round before if `hp` names one."""
        model = Trials._build_hypermodel(self, hp)
        if "tuner/trial_id" in hp.values:
            model.load_weights(self._get_checkpoint_fname(hp.values["tuner/trial_id"]))
        return model


def build_model(hp):
    """Return a compiled classifier of the digits with the values of `hp`."""
    model = fjax.Sequential([fjax.Input((8, 8)), fjax.layers.Flatten()], seed=0)
    model.add(fjax.layers.Rescaling(1 / hp.Fixed("largest_value", 16)))
    activation = hp.Choice("activation", ["relu", "tanh"])
    for number in range(hp.Int("layers", 1, 2)):
        units = hp.Int(f"units_{number}", min_value=16, max_value=48, step=16)
        model.add(fjax.layers.Dense(units, activation=activation))
    if hp.Boolean("dropout"):
        with hp.conditional_scope("dropout", [True]):
            model.add(fjax.layers.Dropout(hp.Float("rate", 0.1, 0.5, step=0.2)))
    model.add(fjax.layers.Dense(10, activation="softmax"))
    rate = hp.Float("learning_rate", min_value=1e-4, max_value=1e-1, sampling="log")
    adam = fjax.optimizers.Adam(learning_rate=rate)
    model.compile(adam, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main(
    trials: int = 10, epochs: int = 10, hyperband: bool = False, folder: str | None = None
) -> tuple[keras_tuner.Tuner, float]:
    """Search; return the tuner and the test accuracy of the best model."""
    (x_train, y_train), (x_test, y_test) = fjax.datasets.digits.load_data()
    folder = folder or tempfile.mkdtemp()
    arguments = {"objective": "val_accuracy", "directory": folder, "seed": 0}
    if hyperband:
        tuner = Hyperband(build_model, max_epochs=epochs, **arguments)
    else:
        tuner = RandomSearch(build_model, max_trials=trials, **arguments)
    tuner.search(x_train, y_train, epochs=epochs, validation_split=0.2, verbose=0)
    print(f"best: {tuner.get_best_hyperparameters()[0].values}")
    accuracy = tuner.get_best_models()[0].evaluate(x_test, y_test, verbose=0)[1]
    print(f"test accuracy: {accuracy:.3f}")
    return tuner, accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--hyperband", action="store_true")
    parser.add_argument("--folder", default=None)
    main(**vars(parser.parse_args()))
