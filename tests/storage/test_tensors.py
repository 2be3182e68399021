"""Arrays in a file: judged by the real safetensors, and by everything that can be wrong."""

import hashlib
import json
import os

import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from fjax.storage import ModelFileError, named_leaves, open_tensors, write_tensors
from fjax.storage.tensors import DTYPES

pytestmark = pytest.mark.short

KEYS = {"format": "fjax.test", "version": "1"}
ARRAYS = {
    name: np.arange(6).reshape(2, 3).astype(dtype) for name, dtype in DTYPES.items()
} | {"empty": np.zeros((0, 3), "float32"), "scalar": np.float32(2.5)}  # fmt: skip


def read(path):
    with open_tensors(path, "test") as file:
        return {name: file.read(name) for name in file.entries}, dict(file.metadata)


def test_arrays_come_back(tmp_path):
    write_tensors(tmp_path / "a", ARRAYS, {**KEYS, "words": "ü\n\"'"})
    found, metadata = read(tmp_path / "a")
    assert metadata == {**KEYS, "words": "ü\n\"'"}
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_the_real_library_reads_them(tmp_path):
    plain = {name: array for name, array in ARRAYS.items() if name != "BF16"}
    write_tensors(tmp_path / "a", plain, KEYS)
    found = safetensors.numpy.load_file(tmp_path / "a")
    assert found.keys() == plain.keys()
    for name, array in plain.items():
        np.testing.assert_array_equal(found[name], array)


@settings(max_examples=25, deadline=None)
@given(st.lists(arrays_of.arrays(
    st.sampled_from(["float32", "int32", "bool", "uint8", "float64"]),
    arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
), max_size=5))  # fmt: skip
def test_any_arrays_come_back(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("any") / "a"
    write_tensors(path, {str(place): value for place, value in enumerate(values)}, KEYS)
    found, _ = read(path)
    safetensors.numpy.load_file(path)
    for place, value in enumerate(values):
        np.testing.assert_array_equal(found[str(place)], value)


def test_a_type_that_no_file_holds(tmp_path):
    with pytest.raises(TypeError, match="'a' is of type complex64"):
        write_tensors(tmp_path / "a", {"a": np.zeros(2, "complex64")}, KEYS)
    assert os.listdir(tmp_path) == []


def test_leaves_have_names():
    tree = {"b": (jnp.ones(1), {"c": 2}), "a": [3]}
    assert list(named_leaves("x", tree)) == ["x.a.0", "x.b.0", "x.b.1.c"]
    with pytest.raises(ValueError, match=r"Two arrays would be called 'x\.a\.b'"):
        named_leaves("x", {"a.b": 1, "a": {"b": 2}})


def compact(header):
    return json.dumps(header, separators=(",", ":")).encode()


def raw(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else compact(header)
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


META = {"__metadata__": {**KEYS, "digest": "0" * 64}}
SAID = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}

# What is wrong besides the digest is told by the digest's check, unless it is found before.
BROKEN = {
    "empty": (b"", "no header"),
    "short": (b"\x08\0\0", "no header"),
    "length beyond the file": (raw({}, length=2**40), "no header"),
    "another format": (b"PK\x03\x04" + b"\0" * 100, "no header"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "no header"),
    "no JSON": (raw(b"{nothing}"), "header cannot be read"),
    "not UTF-8": (raw(b'{"\xff\xfe": 1}'), "header cannot be read"),
    "list": (raw([1, 2]), "no header"),
    "key twice": (raw(b'{"a": 1, "a": 2}'), "the key 'a' stands twice"),
    "NaN": (raw(b'{"a": NaN}'), "NaN is no JSON"),
    "too large": (raw(b'{"a": 1e999}'), "1e999 is too large"),
    "deep": (raw(b"{" + b'"a":{' * 100_000 + b"}" * 100_001), "header cannot be read"),
    "no metadata": (raw({"a": SAID}, b"\0" * 8), "no metadata"),
    "metadata no strings": (raw({"__metadata__": {"format": 3}}), "no metadata"),
    "format": (
        raw({"__metadata__": {"format": "pt"}}),
        "its 'format' is 'pt', expected 'fjax.test'",
    ),
    "no digest": (raw({"__metadata__": KEYS}), "has no digest"),
    "digest": (raw(META), "damaged"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_file_of_ours(tmp_path, case):
    content, message = BROKEN[case]
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ModelFileError, match=message):
        read(tmp_path / "a")


# With a digest that is right: the file lies on purpose.
LYING = {
    "hole": ({"a": SAID, "b": {**SAID, "data_offsets": [12, 20]}}, 20, "at byte 12, expected 8"),
    "overlap": ({"a": SAID, "b": {**SAID, "data_offsets": [4, 12]}}, 12, "at byte 4, expected 8"),
    "bytes behind": ({"a": SAID}, 12, "have 8 bytes, the file has 12"),
    "bytes missing": ({"a": SAID}, 4, "have 8 bytes, the file has 4"),
    "shape": ({"a": {**SAID, "shape": [2**40]}}, 8, "another number of bytes"),
    "negative": ({"a": {**SAID, "shape": [-2]}}, 8, "not described"),
    "huge sizes": ({"a": {**SAID, "shape": [2**62, 2**62, 0]}}, 8, "another number of bytes"),
    "many axes": ({"a": {**SAID, "shape": [1] * 40 + [2]}}, 8, "another number of bytes"),
    "type": ({"a": {**SAID, "dtype": "O"}}, 8, "unknown number type 'O'"),
    "boolean size": ({"a": {**SAID, "shape": [True]}}, 8, "not described"),
    "surplus key": ({"a": {**SAID, "path": "/etc/passwd"}}, 8, "not described"),
}  # fmt: skip


def signed(header, data):
    """A file whose digest is right, whatever it says."""
    zeros = "0" * 64
    header = {"__metadata__": {**KEYS, "digest": zeros}, **header}
    whole = raw(header, data)
    return whole.replace(zeros.encode(), hashlib.sha256(whole).hexdigest().encode())


@pytest.mark.parametrize("case", LYING)
def test_a_file_that_lies(tmp_path, case):
    header, size, message = LYING[case]
    (tmp_path / "a").write_bytes(signed(header, b"\0" * size))
    with pytest.raises(ModelFileError, match=message):
        read(tmp_path / "a")


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("pipe", "loop", "", "nothing"):
        with pytest.raises(ModelFileError):
            read(tmp_path / name)
