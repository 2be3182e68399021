"""The perceptron as a custom training step: an update rule without gradients, in `fit`.

It separates setosa from the other irises by two features, like scikit-learn's `Perceptron`. The
features are whole millimeters, relative to the mean, so that sums are exact and both end with the
same weights.

Source: Rosenblatt, "The Perceptron: A Probabilistic Model for Information Storage and Organization
in the Brain", 1958.
"""

import argparse

import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import Perceptron
from sklearn.model_selection import train_test_split

import fjax

import matplotlib  # isort: skip

matplotlib.use("Agg")
import matplotlib.pyplot as plt

FEATURES = ["petal length (cm)", "petal width (cm)"]


def heaviside(x):
    """Return 1 above zero, else 0."""
    return jnp.heaviside(x, 0.0)


def perceptron_step(train_state, batch):
    """Add misclassified samples of class 1 to the weights, and subtract those of class 0.

    The gradient of the unit is zero wherever it is defined, so that the rule gives the updates
    itself. A sample on the decision boundary counts as wrong.
    """
    (x,), unit = batch.inputs, train_state.params["unit"]
    signs = 2.0 * batch.targets.reshape(-1, 1) - 1.0
    wrong = signs * (x @ unit["kernel"] + unit["bias"]) <= 0
    direction = jnp.where(wrong, signs, 0.0)
    updated = {
        "kernel": unit["kernel"] + x.T @ direction,
        "bias": unit["bias"] + direction.sum(axis=0),
    }
    params = {**train_state.params, "unit": updated}
    return train_state._replace(params=params), {"wrong": wrong.mean()}


def main(epochs: int = 10, picture: str = "perceptron.png") -> dict[str, list[float]]:
    """Train and draw both; return the weights, the bias and the test accuracy of each."""
    iris = load_iris(as_frame=True)
    x = (10 * iris.data[FEATURES]).round().to_numpy("float32")
    x = x - x.mean(axis=0).round()
    y = (iris.target == 0).to_numpy("float32")
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)

    unit = fjax.layers.Dense(1, heaviside, kernel_initializer="zeros", name="unit")
    model = fjax.Sequential([fjax.Input((2,)), unit])
    model.compile("sgd", metrics=["accuracy"], train_step=perceptron_step)
    # The rule depends on the order of the samples, which must be that of scikit-learn.
    history = model.fit(x_train, y_train, batch_size=1, epochs=epochs, shuffle=False, verbose=0)
    wrong = np.array(history.history["wrong"])
    print("wrong in each epoch:", *(wrong * len(x_train)).round().astype(int))

    reference = Perceptron(max_iter=epochs, tol=None, shuffle=False).fit(x_train, y_train)
    reference_accuracy = reference.score(x_test, y_test)
    kernel, bias = model.get_weights()
    logs = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
    results = {
        "fjax": [*kernel[:, 0], *bias, logs["accuracy"]],
        "scikit-learn": [*reference.coef_[0], *reference.intercept_, reference_accuracy],
    }
    for name, (*weights, accuracy) in results.items():
        print(f"{name}: weights {np.array(weights)}, test accuracy {accuracy:.3f}")

    fjax.visualization.plot_decision_boundary(
        model, x, y, ["not setosa", "setosa"],
        ["petal length, relative to the mean (mm)", "petal width, relative to the mean (mm)"],
        resolution=400, to_file=picture,
    )  # fmt: skip
    plt.close("all")
    return {name: [float(value) for value in values] for name, values in results.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--picture", default="perceptron.png")
    main(**vars(parser.parse_args()))
