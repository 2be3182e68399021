"""The perceptron, by a training step of your own: a rule without a gradient, in the compiled loop.

It tells setosa from the other irises by two numbers, beside scikit-learn's `Perceptron`. Lengths
are whole millimetres more or less than the mean, so that both add without rounding: they end with
the same weights.

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
    """Move the weights towards samples of class 1 that are not told, away from those of class 0.

    The unit's slope is zero wherever it has one, so there is nothing to differentiate: the rule
    says itself what is to be added. A sample on the line itself counts as wrong.
    """
    (x,), unit = batch.inputs, train_state.params["unit"]
    signs = 2.0 * batch.targets.reshape(-1, 1) - 1.0
    wrong = signs * (x @ unit["kernel"] + unit["bias"]) <= 0
    towards = jnp.where(wrong, signs, 0.0)
    moved = {
        "kernel": unit["kernel"] + x.T @ towards,
        "bias": unit["bias"] + towards.sum(axis=0),
    }
    params = {**train_state.params, "unit": moved}
    return train_state._replace(params=params), {"wrong": wrong.mean()}


def main(epochs: int = 10, picture: str = "perceptron.png") -> dict[str, list[float]]:
    """Train both and draw the line; return the weights, the bias and the test accuracy of each."""
    iris = load_iris(as_frame=True)
    x = (10 * iris.data[FEATURES]).round().to_numpy("float32")
    x = x - x.mean(axis=0).round()
    y = (iris.target == 0).to_numpy("float32")
    x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=0)

    unit = fjax.layers.Dense(1, heaviside, kernel_initializer="zeros", name="unit")
    model = fjax.Sequential([fjax.Input((2,)), unit])
    model.compile("sgd", metrics=["accuracy"], train_step=perceptron_step)
    # The rule looks at one sample after the other; peers agree only in the same order.
    history = model.fit(x_train, y_train, batch_size=1, epochs=epochs, shuffle=False, verbose=0)
    wrong = np.array(history.history["wrong"])
    print("wrong in each epoch:", *(wrong * len(x_train)).round().astype(int))

    peer = Perceptron(max_iter=epochs, tol=None, shuffle=False).fit(x_train, y_train)
    kernel, bias = model.get_weights()
    measured = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
    found = {
        "fjax": [*kernel[:, 0], *bias, measured["accuracy"]],
        "scikit-learn": [*peer.coef_[0], *peer.intercept_, peer.score(x_test, y_test)],
    }
    for name, (*weights, accuracy) in found.items():
        print(f"{name}: weights {np.array(weights)}, test accuracy {accuracy:.3f}")

    fjax.visualization.plot_decision_boundary(
        model, x, y, ["not setosa", "setosa"],
        ["petal length, from the mean (mm)", "petal width, from the mean (mm)"],
        resolution=400, to_file=picture,
    )  # fmt: skip
    plt.close("all")
    return {name: [float(value) for value in values] for name, values in found.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--picture", default="perceptron.png")
    main(**vars(parser.parse_args()))
