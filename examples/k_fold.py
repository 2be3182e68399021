"""Cross-validate a small network on a small data set, all ten folds in one program.

Prints the mean absolute error over the folds, draws the curves with the spread over the folds as a
band, and draws a sweep of learning rates.
"""

import argparse
from pathlib import Path

from sklearn.datasets import load_diabetes

import fjax
from fjax.search import cross_validate, sweep_learning_rates

import matplotlib  # isort: skip

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def build_model(learning_rate: float = 0.01) -> fjax.Sequential:
    """Return a network for the ten measurements of a patient."""
    model = fjax.Sequential([
        fjax.Input(shape=(10,)),
        fjax.layers.Dense(16, activation="relu"),
        fjax.layers.Dropout(0.2),
        fjax.layers.Dense(1),
    ], seed=0)  # fmt: skip
    model.compile(fjax.optimizers.Adam(learning_rate), "mse", metrics=["mae"])
    return model


def main(epochs: int = 60, folds: int = 10, folder: str = ".") -> float:
    """Sweep, cross-validate and draw; return the mean absolute error on held-out patients."""
    data = load_diabetes(scaled=False)
    x = (data.data - data.data.mean(axis=0)) / data.data.std(axis=0)
    y = (data.target - data.target.mean()) / data.target.std()

    # Thirty trainings in one program; the model does not change.
    sweep = sweep_learning_rates(build_model(), x, y, epochs=epochs, validation_split=0.2)
    print(f"best learning rate: {sweep.best:.2g}")

    # The folds are one program, too. The error is in the units of the target.
    model = build_model(sweep.best)
    result = cross_validate(model, x, y, folds, epochs=epochs)
    print(result)
    errors = result.scores["val_mae"] * data.target.std()
    print(f"mean absolute test error: {errors.mean():.1f} ± {errors.std():.1f}")

    pictures = Path(folder)
    fjax.visualization.plot_sweep(sweep, pictures / "k_fold_sweep.png")
    fjax.visualization.plot_history(result.history, to_file=pictures / "k_fold.png")
    plt.close("all")
    return float(errors.mean())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--folder", default=".")
    main(**vars(parser.parse_args()))
