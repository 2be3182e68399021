"""Damaged and forged model files raise one clear error: no wrong model is loaded, no code runs."""

import copy
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from fjax.models import load_model, model_from_json
from fjax.saving import ModelFileError
from tests.hostile.files import GenuineFile, sample_models

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def genuine_files(tmp_path_factory):
    path = tmp_path_factory.mktemp("hostile") / "model"
    return [GenuineFile(model, path) for model in sample_models()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model"


def test_a_file_truncated_anywhere_is_refused(genuine_files, path):
    genuine_files[2].write(path)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError):
            load_model(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(ModelFileError):
        load_model(path)


def test_a_file_with_a_flipped_bit_in_any_byte_is_refused(genuine_files, path):
    genuine_files[2].write(path)
    content = path.read_bytes()
    for index in range(len(content)):
        damaged = bytearray(content)
        damaged[index] ^= 1 << (index % 8)
        path.write_bytes(damaged)
        with pytest.raises(ModelFileError):
            load_model(path)


def changed_document(genuine, change):
    document = copy.deepcopy(genuine.document)
    change(document)
    return document


def layer_config(document, index):
    return document["model"]["config"]["layers"][index]["config"]


FORGED = {
    "path of a class": (
        lambda d: d["model"].update({"class": "os.system"}), "no model class 'os"
    ),
    "path of a layer class": (
        lambda d: d["model"]["config"]["layers"][0].update({"class": "subprocess.Popen"}),
        "no class 'subprocess.Popen'",
    ),
    "optimizer instead of a layer": (
        lambda d: d["model"]["config"]["layers"].insert(0, d["compile"]["optimizer"]),
        "Expected a layer",
    ),
    "huge shape": (
        lambda d: layer_config(d, 5).update({"units": 10**12}), r"different: params\.dense\.bias"
    ),
    "overflowing shape": (lambda d: layer_config(d, 5).update({"units": 10**30}), "different: "),
    "unknown argument": (
        lambda d: layer_config(d, 5).update({"unit": 3}), "no argument 'unit'"
    ),
    "missing argument": (
        lambda d: layer_config(d, 5).pop("units"), "lacks the required argument `units`"
    ),
    "additional layer": (
        lambda d: d["model"]["config"]["layers"].append(d["model"]["config"]["layers"][5]),
        r"missing: params\.dense_1",
    ),
    "negative counter": (
        lambda d: d["position"].update({"epoch": -1}), "the counter 'epoch' is -1"
    ),
    "number as a loss's name": (
        lambda d: d["compile"].update({"loss_names": 3}), "`loss_names` must be names"
    ),
    "names of other losses": (
        lambda d: d["compile"].update({"loss_names": {"tuple": ["mse"]}}),
        "`loss_names` must be names",
    ),
    "unknown kind of key": (lambda d: d.update({"key": "mine"}), "unknown kind 'mine' of PRNG key"),
    "no model": (lambda d: d.pop("model"), "'model'"),
    "other inputs": (lambda d: d.update({"inputs": {"tuple": ["x"]}}), None),
}  # fmt: skip


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_document_is_refused(case, genuine_files, path):
    change, message = FORGED[case]
    genuine_files[0].write(path, changed_document(genuine_files[0], change))
    if message is None:
        # The layers declare their input themselves, so the file's declaration is not used.
        assert load_model(path).built
        return
    with pytest.raises(ModelFileError, match=message):
        load_model(path)


def test_a_graph_with_a_cycle_is_refused(genuine_files, path):
    def add_cycle(document):
        calls = document["model"]["config"]["network"]["config"]["calls"]["tuple"]
        for call in calls:
            call["config"]["inputs"] = {
                "tuple": [{"class": "core.Ref", "config": {"value": 1 + len(calls)}}]
            }

    genuine_files[1].write(path, changed_document(genuine_files[1], add_cycle))
    with pytest.raises(ModelFileError):
        load_model(path)


DOCUMENTS = {
    "deep lists": "[" * 100_000 + "]" * 100_000,
    "deep objects": '{"tuple":[' * 20_000 + "]}" * 20_000,
    "duplicate key": '{"model": 1, "model": 2}',
    "not a number": '{"model": NaN}',
    "infinity": '{"model": -Infinity}',
    "overflowing number": '{"model": 1e400}',
    "number with many digits": '{"model": ' + "9" * 5000 + "}",
    "empty": "",
    "null": "null",
    "list": "[]",
    "truncated": '{"model": {',
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_an_invalid_document_is_refused(case, genuine_files, path):
    genuine_files[0].write(path, DOCUMENTS[case])
    with pytest.raises(ModelFileError):
        load_model(path)
    with pytest.raises(ValueError, match=r"."):
        model_from_json(DOCUMENTS[case])


def test_layers_that_are_nested_too_deeply_are_refused(genuine_files, path):
    def nest(document):
        layer = document["model"]["config"]["layers"][4]
        for _ in range(220):
            config = {**SERIAL["config"], "layers": {"tuple": [layer]}}
            layer = {"class": "core.Serial", "config": config}
        document["model"]["config"]["layers"][4] = layer

    genuine_files[0].write(path, changed_document(genuine_files[0], nest))
    with pytest.raises(ModelFileError, match="nested too deeply"):
        load_model(path)


SERIAL = {
    "class": "core.Serial",
    "config": {"layers": {"tuple": []}, "given_names": None, "name": None, "input_shape": None,
               "trainable": True},
}  # fmt: skip


def test_arrays_that_do_not_fit_are_refused(genuine_files, path):
    tensors = dict(genuine_files[0].tensors)
    kernel = tensors.pop("params.dense.kernel")
    for name, array, message in (
        ("params.dense.kernel", kernel.T, "different: params.dense.kernel"),
        ("params.dense.kernel", kernel.astype("float64"), "different: params.dense.kernel"),
        ("params.dense.Kernel", kernel, "missing: params.dense.kernel; not in the model: .*Kernel"),
        ("../../../etc/passwd", kernel, "not in the model: ../../../etc/passwd"),
    ):
        genuine_files[0].write(path, tensors={**tensors, name: array})
        with pytest.raises(ModelFileError, match=message):
            load_model(path)


def test_loading_allocates_less_than_twice_the_size_of_the_file(tmp_path):
    """It counts the memory of Python; the final arrays are in that of the device."""
    from fjax import Sequential, layers

    model = Sequential([layers.Input((1000,)), layers.Dense(2000)])
    model.save(tmp_path / "model")
    size = (tmp_path / "model").stat().st_size
    tracemalloc.start()
    load_model(tmp_path / "model")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * size


def fuzz(files, seed):
    command = [
        sys.executable,
        "-m",
        "tests.hostile.fuzz",
        "--files",
        str(files),
        "--seed",
        str(seed),
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout.replace("'", '"'))


def test_random_forged_files():
    seed = int(np.random.default_rng().integers(2**31))
    outcomes = fuzz(150, seed)
    assert outcomes["refused"] > 100, (seed, outcomes)


@pytest.mark.slow
def test_many_random_forged_files():
    seed = int(np.random.default_rng().integers(2**31))
    assert sum(fuzz(100_000, seed).values()) == 100_000
