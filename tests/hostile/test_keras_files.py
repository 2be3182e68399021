"""Hostile files of Keras raise one clear error: nothing is run, opened, imported or allocated."""

import io
import json
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import fjax
from fjax.models import load_model
from fjax.saving import ModelFileError
from tests.hostile.keras_files import CONFIG, CONFIGS, WEIGHTS, KerasFile, forge_bytes, sample_model

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def genuine(tmp_path_factory):
    path = tmp_path_factory.mktemp("hostile") / "model.keras"
    sample_model().save(path)
    # The modules that read such files are imported by the first one.
    load_model(path)
    return KerasFile(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model"


def test_the_genuine_files_load(genuine, path):
    genuine.write(path)
    assert load_model(path).optimizer is not None


@pytest.mark.parametrize("case", CONFIGS)
def test_a_hostile_configuration_is_refused(case, genuine, path, monkeypatch):
    opened = []
    for name in ("os.system", "subprocess.Popen", "socket.create_connection", "marshal.loads",
                 "pickle.loads"):  # fmt: skip
        monkeypatch.setattr(name, lambda *args, **kwargs: opened.append(args))
    genuine.write(path, CONFIGS[case])
    with pytest.raises(ModelFileError) as raised:
        load_model(path)
    assert len(str(raised.value)) < 1200
    path.write_bytes(genuine.legacy(CONFIGS[case]))
    with pytest.raises(ModelFileError):
        load_model(path)
    assert not opened


MESSAGES = {
    "CVE-2024-3660, code of a Lambda": "code of a lambda, which is never run. .* `custom_objects`",
    "CVE-2025-1550, a class of any module": "custom class 'Popen', which is not known here",
    "CVE-2025-9906, a switch of Keras's own": "'enable_unsafe_deserialization' of Keras's module",
    "CVE-2025-12058, a vocabulary in a file": "which only the constructor reads",
    "CVE-2026-1462, a saved model of TensorFlow": "the class 'TFSMLayer' of Keras's module",
    "a policy that is unknown": "'mixed_float8'",
    "an unknown argument": "`Dense` takes no argument `unit`. Did you mean `units`?",
}


@pytest.mark.parametrize("case", MESSAGES)
def test_the_error_names_what_is_wrong(case, genuine, path):
    genuine.write(path, CONFIGS[case])
    with pytest.raises(ModelFileError, match=MESSAGES[case]):
        load_model(path)


def with_weights(write):
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        write(file)
    return memory.getvalue()


# Weights that lead out of the file, or that declare more than they have.
HOSTILE_WEIGHTS = {
    "CVE-2026-1669, bytes of another file": lambda file: file.create_dataset(
        "layers/dense/vars/0", (4, 4), "u1", external=[("/etc/passwd", 0, 16)]
    ),
    "CVE-2026-1669, a link to another file": lambda file: file.create_group("layers").update(
        dense=h5py.ExternalLink("/etc/passwd", "/")
    ),
    "CVE-2026-0897, a shape without bytes": lambda file: file.create_dataset(
        "layers/dense/vars/0", (2**40,), "f4", chunks=(2**20,), fillvalue=1.0
    ),
    "CVE-2026-0897, a compressed bomb": lambda file: file.create_dataset(
        "layers/dense/vars/0", data=np.zeros(2**25), compression="gzip", chunks=(2**22,)
    ),
    "a group that contains itself": lambda file: file.create_group("layers").update(
        dense=file["/"]
    ),
    "a link to a name": lambda file: file.update({"layers": h5py.SoftLink("/")}),
    "an array of another shape": lambda file: file.create_dataset(
        "layers/dense/vars/0", data=np.ones((9, 9), "f4")
    ),
}


@pytest.mark.parametrize("case", HOSTILE_WEIGHTS)
def test_hostile_weights_are_refused(case, genuine, path):
    content = with_weights(lambda file: link(file, HOSTILE_WEIGHTS[case]))
    genuine.write(path, **{WEIGHTS: content})
    tracemalloc.start()
    with pytest.raises(ModelFileError):
        load_model(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**27
    path.write_bytes(content)
    with pytest.raises(ModelFileError):
        sample_model().load_weights(path)


def link(file, write):
    """Write what `update` of a group does not: the entries one by one."""

    class Group:
        def __init__(self, group):
            self.group = group

        def update(self, items=None, **named):
            for name, value in {**(items or {}), **named}.items():
                self.group[name] = value

        def create_group(self, name):
            return Group(self.group.create_group(name))

        def create_dataset(self, *args, **kwargs):
            self.group.create_dataset(*args, **kwargs)

        def __getitem__(self, name):
            return self.group[name]

    write(Group(file))


def archive(*members, method=zipfile.ZIP_STORED):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as file:
        for name, content in members:
            file.writestr(name, content)
    return memory.getvalue()


def lying_size(genuine):
    content = archive((CONFIG, genuine.members[CONFIG]), (WEIGHTS, b"12345678"))
    directory = content.rindex(b"PK\x01\x02")
    # The size after decompression, in the directory.
    return content[: directory + 24] + struct.pack("<I", 9) + content[directory + 28 :]


def overlapping(genuine):
    """Return an archive in which two names have the same bytes."""
    content = archive(
        (CONFIG, genuine.members[CONFIG]), ("assets/a", bytes(5000)), ("assets/b", b"b")
    )
    directory = content.rindex(b"PK\x01\x02")
    offset = content.index(b"assets/a") - 30
    size = struct.pack("<I", 5000)
    entry = bytearray(content[directory:])
    entry[20:28], entry[42:46] = size * 2, struct.pack("<I", offset)
    return content[:directory] + bytes(entry)


ARCHIVES = {
    "a bomb": lambda genuine: archive((CONFIG, b" " * 2**28), method=zipfile.ZIP_DEFLATED),
    "many members": lambda genuine: archive(*((f"assets/{i}", b"") for i in range(10_001))),
    "a name that leads out": lambda genuine: archive(("assets/../../evil", b"x")),
    "an absolute name": lambda genuine: archive(("/etc/passwd", b"x")),
    "a name of Windows": lambda genuine: archive(("assets/..\\evil", b"x")),
    "an unexpected member": lambda genuine: archive(("evil.py", b"x")),
    "weights of NumPy": lambda genuine: archive(
        (CONFIG, genuine.members[CONFIG]), ("model.weights.npz", b"x")
    ),
    "no configuration": lambda genuine: archive((WEIGHTS, genuine.members[WEIGHTS])),
    "no weights": lambda genuine: archive((CONFIG, genuine.members[CONFIG])),
    "another compression": lambda genuine: archive(
        (CONFIG, genuine.members[CONFIG]), method=zipfile.ZIP_BZIP2
    ),
    "a size that is not true": lying_size,
    "overlapping members": overlapping,
    "nothing": lambda genuine: archive(),
    "a configuration that is a list": lambda genuine: archive(
        (CONFIG, b"[1]"), (WEIGHTS, genuine.members[WEIGHTS])
    ),
    "a configuration nested deeply": lambda genuine: archive(
        (CONFIG, b"[" * 100_000), (WEIGHTS, genuine.members[WEIGHTS])
    ),
    "a key that appears twice": lambda genuine: archive(
        (CONFIG, b'{"class_name": 1, "class_name": 2}'), (WEIGHTS, genuine.members[WEIGHTS])
    ),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_a_hostile_archive_is_refused(case, genuine, path):
    path.write_bytes(ARCHIVES[case](genuine))
    tracemalloc.start()
    with pytest.raises(ModelFileError):
        load_model(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**27


def test_a_member_that_appears_twice_is_refused(genuine, path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = archive((CONFIG, b"{}"), (CONFIG, genuine.members[CONFIG]))
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="appears twice"):
        load_model(path)


def test_calls_in_a_cycle_are_refused(genuine, path):
    config = json.loads(genuine.members[CONFIG])
    for layer in config["config"]["layers"][1:]:
        for call in layer["inbound_nodes"]:
            call["args"] = [{"class_name": "__keras_tensor__", "config": {
                "shape": [], "dtype": "float32", "keras_history": [layer["name"], 0, 0],
            }}]  # fmt: skip
    genuine.write(path, config)
    with pytest.raises(ModelFileError, match="depend on each other"):
        load_model(path)


def test_layers_that_are_nested_too_deeply_are_refused(genuine, path):
    config = CONFIGS["a shape without an end"]
    for _ in range(300):
        config = {"module": "keras", "class_name": "Sequential", "config": {"layers": [config]}}
    genuine.write(path, config)
    with pytest.raises(ModelFileError, match="nested too deeply"):
        load_model(path)


def test_a_truncated_file_is_refused(genuine, path):
    genuine.write(path)
    content = path.read_bytes()
    for end in [*range(0, 200, 7), *range(200, len(content), 991)]:
        path.write_bytes(content[:end])
        with pytest.raises(ModelFileError):
            load_model(path)


def test_a_safetensors_file_with_false_offsets_is_refused(path):
    model = fjax.Sequential([fjax.layers.Input((4,)), fjax.layers.Dense(2)])
    header = {"w": {"dtype": "F32", "shape": [4, 2], "data_offsets": [0, 2**40]}}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(32))
    with pytest.raises(ModelFileError, match="number of bytes"):
        model.load_weights(path, names={model.weights[0].path: "w"})


def test_forged_bytes_of_hdf5_are_refused_or_read(genuine):
    """Without a model, a thousand forged files take a second."""
    import random

    from fjax.storage.hdf5 import open_hdf5

    rng, outcomes = random.Random(1), {True: 0, False: 0}
    contents = [genuine.members[WEIGHTS], genuine.legacy()]
    for number in range(1000):
        try:
            file = open_hdf5("file", forge_bytes(contents[number % 2], rng))
            for name in file.entries:
                file.read(name)
            for group in file.groups:
                file.text(group, "model_config")
                file.texts(group, "layer_names")
        except ModelFileError:
            outcomes[False] += 1
        else:
            outcomes[True] += 1
    assert min(outcomes.values()) > 100, outcomes


def fuzz(files, seed):
    command = [sys.executable, "-m", "tests.hostile.keras_fuzz",
               "--files", str(files), "--seed", str(seed)]  # fmt: skip
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, (seed, result.stderr[-2000:])
    return json.loads(result.stdout.replace("'", '"'))


def test_random_forged_files():
    seed = int(np.random.default_rng().integers(2**31))
    outcomes = fuzz(150, seed)
    assert outcomes["refused"] > 75, (seed, outcomes)


@pytest.mark.slow
def test_many_random_forged_files():
    seed = int(np.random.default_rng().integers(2**31))
    assert sum(fuzz(20_000, seed).values()) == 20_000
