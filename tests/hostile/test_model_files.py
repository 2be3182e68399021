"""Files that are damaged or lie: one clear error, never a wrong model, never code."""

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
from tests.hostile.files import Original, victims

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    path = tmp_path_factory.mktemp("hostile") / "model"
    return [Original(model, path) for model in victims()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model"


def test_cut_anywhere_it_is_refused(originals, path):
    originals[2].write(path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            load_model(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(ModelFileError):
        load_model(path)


def test_with_a_bit_flipped_in_any_byte_it_is_refused(originals, path):
    originals[2].write(path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        broken = bytearray(whole)
        broken[place] ^= 1 << (place % 8)
        path.write_bytes(broken)
        with pytest.raises(ModelFileError):
            load_model(path)


def forged(original, change):
    document = copy.deepcopy(original.document)
    change(document)
    return document


def config_of(document, place):
    return document["model"]["config"]["layers"][place]["config"]


FORGED = {
    "class path": (lambda d: d["model"].update({"class": "os.system"}), "no model class 'os"),
    "layer's class path": (
        lambda d: d["model"]["config"]["layers"][0].update({"class": "subprocess.Popen"}),
        "no class 'subprocess.Popen'",
    ),
    "an optimizer as a layer": (
        lambda d: d["model"]["config"]["layers"].insert(0, d["compile"]["optimizer"]),
        "Expected a layer",
    ),
    "bomb of a shape": (
        lambda d: config_of(d, 5).update({"units": 10**12}), r"different: params\.dense\.bias"
    ),
    "size that overflows": (lambda d: config_of(d, 5).update({"units": 10**30}), "different: "),
    "argument twice as another": (
        lambda d: config_of(d, 5).update({"unit": 3}), "no argument 'unit'"
    ),
    "argument missing": (lambda d: config_of(d, 5).pop("units"), "without `units`"),
    "layer too much": (
        lambda d: d["model"]["config"]["layers"].append(d["model"]["config"]["layers"][5]),
        r"missing: params\.dense_1",
    ),
    "position": (lambda d: d["position"].update({"epoch": -1}), "'epoch' of its position is -1"),
    "kind of key": (lambda d: d.update({"key": "mine"}), "no kind 'mine' of keys"),
    "no model": (lambda d: d.pop("model"), "'model'"),
    "inputs of another kind": (lambda d: d.update({"inputs": {"tuple": ["x"]}}), None),
}  # fmt: skip


@pytest.mark.parametrize("case", FORGED)
def test_words_that_are_forged(case, originals, path):
    change, message = FORGED[case]
    originals[0].write(path, forged(originals[0], change))
    if message is None:
        # What the layers declare themselves is not asked for.
        assert load_model(path).built
        return
    with pytest.raises(ModelFileError, match=message):
        load_model(path)


def test_a_graph_whose_calls_form_a_circle(originals, path):
    def turn(document):
        calls = document["model"]["config"]["network"]["config"]["calls"]["tuple"]
        for call in calls:
            call["config"]["inputs"] = {
                "tuple": [{"class": "core.Ref", "config": {"value": 1 + len(calls)}}]
            }

    originals[1].write(path, forged(originals[1], turn))
    with pytest.raises(ModelFileError):
        load_model(path)


DOCUMENTS = {
    "deep": "[" * 100_000 + "]" * 100_000,
    "deep objects": '{"tuple":[' * 20_000 + "]}" * 20_000,
    "key twice": '{"model": 1, "model": 2}',
    "not a number": '{"model": NaN}',
    "infinity": '{"model": -Infinity}',
    "number": '{"model": 1e400}',
    "long number": '{"model": ' + "9" * 5000 + "}",
    "nothing": "",
    "null": "null",
    "list": "[]",
    "half": '{"model": {',
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_words_that_are_none(case, originals, path):
    originals[0].write(path, DOCUMENTS[case])
    with pytest.raises(ModelFileError):
        load_model(path)
    with pytest.raises(ValueError, match=r"."):
        model_from_json(DOCUMENTS[case])


def test_layers_within_layers_without_end(originals, path):
    def nest(document):
        told = document["model"]["config"]["layers"][4]
        for _ in range(150):
            config = {**SERIAL["config"], "layers": {"tuple": [told]}}
            told = {"class": "core.Serial", "config": config}
        document["model"]["config"]["layers"][4] = told

    originals[0].write(path, forged(originals[0], nest))
    with pytest.raises(ModelFileError, match="nested too deeply"):
        load_model(path)


SERIAL = {
    "class": "core.Serial",
    "config": {"layers": {"tuple": []}, "given_names": None, "name": None, "input_shape": None,
               "trainable": True},
}  # fmt: skip


def test_arrays_in_place_of_others(originals, path):
    tensors = dict(originals[0].tensors)
    kernel = tensors.pop("params.dense.kernel")
    for name, array, message in (
        ("params.dense.kernel", kernel.T, "different: params.dense.kernel"),
        ("params.dense.kernel", kernel.astype("float64"), "different: params.dense.kernel"),
        ("params.dense.Kernel", kernel, "missing: params.dense.kernel; not in the model: .*Kernel"),
        ("../../../etc/passwd", kernel, "not in the model: ../../../etc/passwd"),
    ):
        originals[0].write(path, tensors={**tensors, name: array})
        with pytest.raises(ModelFileError, match=message):
            load_model(path)


def test_loading_takes_twice_the_file_s_size_at_most(tmp_path):
    """Of Python's memory: the arrays themselves are the device's."""
    from fjax import Sequential, layers

    model = Sequential([layers.Input((1000,)), layers.Dense(2000)])
    model.save(tmp_path / "model")
    size = (tmp_path / "model").stat().st_size
    tracemalloc.start()
    load_model(tmp_path / "model")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * size


def fuzzed(files, seed):
    command = [
        sys.executable,
        "-m",
        "tests.hostile.fuzz",
        "--files",
        str(files),
        "--seed",
        str(seed),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.replace("'", '"'))


def test_forged_files():
    seed = int(np.random.default_rng().integers(2**31))
    told = fuzzed(150, seed)
    assert told["refused"] > 100, (seed, told)


@pytest.mark.slow
def test_very_many_forged_files():
    seed = int(np.random.default_rng().integers(2**31))
    assert sum(fuzzed(100_000, seed).values()) == 100_000
