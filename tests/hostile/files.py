"""Forged model files: their digest is valid, their content is not."""

import copy
import json
import random
from typing import Any

import numpy as np

import fjax as keras
from fjax import layers, ops
from fjax.storage import open_tensors, write_tensors
from fjax.storage.versions import format_metadata


def sample_models() -> list[keras.Model]:
    """Return small models whose documents contain many kinds of data."""
    chain = keras.Sequential(
        [
            layers.Input((6, 6, 1)),
            layers.Conv2D(2, 3, padding="same", kernel_regularizer="l2"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(2, "softmax", kernel_initializer=keras.initializers.HeNormal(seed=1)),
        ]
    )
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])
    chain.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    words = layers.Input((5,), dtype="int32", name="words")
    numbers = layers.Input((3,), name="numbers")
    embedded = layers.Embedding(7, 2, mask_zero=True)(words)
    hidden = layers.Bidirectional(layers.LSTM(2))(embedded)
    joined = layers.Concatenate()([hidden, layers.Dense(2, name="shared")(numbers) * 2.0])
    graph = keras.Model([words, numbers], {"a": layers.Dense(1)(joined), "b": joined[:, :2]})
    graph.compile("sgd", {"a": keras.losses.Huber(0.5)}, loss_weights={"a": 2.0})
    deep = keras.Model(
        keras.serial(layers.Dense(3), keras.repeat(keras.residual(layers.Dense(3)), 2)),
        input_shape=(3,),
    )
    image = layers.Input((6, 6, 1))
    scaled = ops.image.resize(ops.relu(image) + np.ones((6, 1), "float32"), (4, 5))
    pooled = ops.adaptive_max_pool(ops.pad(scaled, ((0, 0), (1, 1), (0, 0), (0, 0))), (2, 3))
    rows = ops.concatenate([ops.mean(pooled, axis=(1, 2)), ops.reshape(image, (None, 36))], axis=-1)
    operations = keras.Model(image, layers.Dense(2)(ops.where(rows > 0.5, rows, 0.0)))
    return [chain, graph, deep, operations]


class GenuineFile:
    """The document and the arrays of a genuine model file, from which forged ones are made."""

    def __init__(self, model: keras.Model, path: Any) -> None:
        model.save(path)
        with open_tensors(path, "model") as file:
            self.document = json.loads(file.metadata["document"])
            self.tensors = {name: file.read(name) for name in file.entries}

    def write(self, path: Any, document: Any = None, tensors: Any = None) -> None:
        """Write the file with another document, as plain data or text, or with other arrays."""
        document = self.document if document is None else document
        text = document if isinstance(document, str) else json.dumps(document)
        tensors = self.tensors if tensors is None else tensors
        write_tensors(path, tensors, {**format_metadata("model"), "document": text})


VALUES = [
    None, True, False, 0, 1, -1, 2, 3, 7, 10**6, 10**9, 2**31, 2**63, 10**30, 0.0, 0.5, -0.5, 1e308,
    "", "relu", "a" * 1000, "/etc/passwd", "https://example.org/model", "os.system", "layers.Dense",
    "layers.Lambda", "core.Graph", "\x00", "ü", [], {}, [[]], [1, 2, 3], {"tuple": []},
    {"tuple": [1, 2]}, {"float": "nan"}, {"function": "activations.relu"}, {"dict": {}},
    {"custom": "x", "config": {}}, {"custom_function": "x"}, {"class": "layers.Flatten"},
]  # fmt: skip


def all_paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values inside plain data, itself included."""
    paths = [path]
    if isinstance(data, dict | list):
        pairs = data.items() if isinstance(data, dict) else enumerate(data)
        for key, value in pairs:
            paths += all_paths(value, (*path, key))
    return paths


def forge_document(document: Any, rng: random.Random) -> Any:
    """Return the document with one to three random changes."""
    document = copy.deepcopy(document)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        path = rng.choice(all_paths(document)[1:])
        parent = document
        for key in path[:-1]:
            parent = parent[key]
        key, kind = path[-1], rng.randrange(6)
        if kind == 0 and isinstance(parent, dict):
            del parent[key]
        elif kind == 1 and isinstance(parent, dict):
            parent[rng.choice(["units", "path", "layers", "", "class"])] = rng.choice(VALUES)
        elif kind == 2 and isinstance(parent, list):
            parent.insert(rng.randrange(len(parent) + 1), copy.deepcopy(parent[key]))
        elif kind == 3:
            value = document
            for part in rng.choice(all_paths(document)):
                value = value[part]
            parent[key] = copy.deepcopy(value)
        elif kind == 4 and isinstance(parent[key], int):
            parent[key] = parent[key] + rng.choice([-1, 1, 10**6])
        else:
            parent[key] = copy.deepcopy(rng.choice(VALUES))
        if not isinstance(document, dict) or len(all_paths(document)) < 2:
            break
    return document


def forge_tensors(tensors: dict[str, np.ndarray], rng: random.Random) -> dict[str, np.ndarray]:
    """Return the arrays with one of them removed, renamed, reshaped or of another dtype."""
    tensors = dict(tensors)
    name = rng.choice(sorted(tensors))
    array = tensors.pop(name)
    kind = rng.randrange(5)
    if kind == 1:
        tensors[name + ".x"] = array
    elif kind == 2:
        tensors[name] = np.concatenate([array.ravel(), array.ravel()])
    elif kind == 3:
        tensors[name] = array.astype("float64")
    elif kind == 4:
        tensors[name] = array[None]
    return tensors
