"""Models of different structures to draw."""

import jax.numpy as jnp
import pytest

import fjax
from fjax.core import as_layer, serial
from fjax.layers import Activation, Dense, Dropout, Input


def beside(*arrays):
    return jnp.concatenate(arrays, axis=-1)


@pytest.fixture
def row():
    """Return three layers in sequence."""
    return fjax.Sequential([Input((8,)), Dense(4, "relu"), Dropout(0.5), Dense(1)], name="row")


@pytest.fixture
def wide_and_deep():
    """Return a model with two inputs and two outputs."""
    wide, deep = Input((5,), name="wide"), Input((6,), name="deep")
    hidden = Dense(30, "relu", name="second")(Dense(30, "relu", name="first")(deep))
    both = as_layer(beside)(wide, hidden)
    main, auxiliary = Dense(1, name="main")(both), Dense(1, name="auxiliary")(hidden)
    return fjax.Model([wide, deep], [main, auxiliary], name="wide_and_deep")


@pytest.fixture
def nested():
    """Return a model that calls a base and a frozen head twice, with a skip connection."""
    base = serial(
        Dense(3, name="down"), Dropout(0.1, name="drop"), Dense(4, name="up"), name="base"
    )
    head = Dense(7, name="head", trainable=False)
    inputs = Input((4,), name="start")
    once = base(inputs)
    twice = base(once)
    joined = as_layer(beside)(head(once), head(twice), inputs * 2.0)
    return fjax.Model(inputs, Dense(2, name="end")(joined), name="nested")


class Written(fjax.Model):
    """A subclassed model: a skip connection, and operations between the calls."""

    def __init__(self):
        super().__init__(name="written")
        self.inner = serial(Dense(4, name="dense"), Activation("tanh", name="bend"))
        self.drop = Dropout(0.5)
        self.last = Dense(2)

    def call(self, inputs):
        inside = self.inner(inputs)
        return self.last(jnp.tanh(inputs + self.drop(inside)) * inside)


@pytest.fixture
def written():
    model = Written()
    model.build((None, 4))
    return model


@pytest.fixture
def unbuilt():
    return fjax.Sequential([Dense(3), Dense(1)])
