"""A search by Ray Tune: trials run in processes of their own, and slow learners are stopped.

Each trial trains a classifier of the digits and reports every epoch by a callback. Prints the best
rate with its validation loss. Needs `pip install "ray[tune]"`.
"""

import argparse
import tempfile

from ray import tune
from ray.tune.schedulers import ASHAScheduler

import fjax


class Reporting(fjax.callbacks.Callback):
    """Reports the validation loss of each epoch to Ray, which may end the trial."""

    def on_epoch_end(self, epoch, logs=None):
        tune.report({"val_loss": logs["val_loss"]})


def train(parameters: dict) -> None:
    """Train one model; Ray calls this in a process of the trial."""
    (x, y), _ = fjax.datasets.digits.load_data()
    model = fjax.Sequential([
        fjax.Input((8, 8)),
        fjax.layers.Flatten(),
        fjax.layers.Rescaling(1 / 16),
        fjax.layers.Dense(32, activation="relu"),
        fjax.layers.Dense(10, activation="softmax"),
    ], seed=0)  # fmt: skip
    adam = fjax.optimizers.Adam(parameters["learning_rate"])
    model.compile(adam, "sparse_categorical_crossentropy")
    model.fit(
        x, y, epochs=parameters["epochs"], validation_split=0.2, verbose=0, callbacks=Reporting()
    )


def main(trials: int = 8, epochs: int = 10, folder: str | None = None) -> tune.ResultGrid:
    """Search; return the results of all trials."""
    tuner = tune.Tuner(
        train,
        param_space={"learning_rate": tune.loguniform(1e-4, 0.3), "epochs": epochs},
        tune_config=tune.TuneConfig(
            metric="val_loss", mode="min", num_samples=trials,
            scheduler=ASHAScheduler(max_t=epochs),
        ),
        run_config=tune.RunConfig(storage_path=folder or tempfile.mkdtemp(), verbose=0),
    )  # fmt: skip
    results = tuner.fit()
    best = results.get_best_result()
    rate = best.config["learning_rate"]
    print(f"best: validation loss {best.metrics['val_loss']:.3f} with learning rate {rate:.4f}")
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--folder", default=None)
    main(**vars(parser.parse_args()))
