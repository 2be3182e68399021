"""Find a learning rate, train with it, and draw the results.

It prints the test accuracy and draws the sweep, the curves of the training and the confusion
matrix.
"""

import argparse
from pathlib import Path

import fjax

import matplotlib  # isort: skip

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main(epochs: int = 20, folder: str = ".") -> float:
    """Sweep, train and draw; return the test accuracy."""
    fjax.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = fjax.datasets.digits.load_data()
    model = fjax.Sequential([
        fjax.Input(shape=(8, 8)),
        fjax.layers.Flatten(),
        fjax.layers.Rescaling(1 / 16),
        fjax.layers.Dense(64, activation="relu"),
        fjax.layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    loss = "sparse_categorical_crossentropy"
    model.compile(fjax.optimizers.SGD(momentum=0.9), loss, metrics=["accuracy"])

    # 500 steps at 500 rates in one program, which does not change the model.
    sweep = fjax.visualization.find_learning_rate(model, x_train, y_train)
    print(f"suggested learning rate: {sweep.suggestion:.2g}")
    model.optimizer.learning_rate = sweep.suggestion
    history = model.fit(x_train, y_train, epochs=epochs, validation_split=0.1)

    pictures = Path(folder)
    sweep.plot(pictures / "sweep.png")
    fjax.visualization.plot_history(history, to_file=pictures / "curves.png")
    predicted = model.predict(x_test, verbose=0)
    fjax.visualization.plot_confusion_matrix(
        y_test, predicted, to_file=pictures / "confusion_matrix.png"
    )
    plt.close("all")
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"test accuracy: {accuracy:.4f}")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--folder", default=".")
    main(**vars(parser.parse_args()))
