"""Arrays in a file: compared with the safetensors library, and with every kind of damage."""

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

METADATA = {"format": "fjax.test", "version": "1"}
ARRAYS = {
    name: np.arange(6).reshape(2, 3).astype(dtype) for name, dtype in DTYPES.items()
} | {"empty": np.zeros((0, 3), "float32"), "scalar": np.float32(2.5)}  # fmt: skip


def read(path):
    with open_tensors(path, "test") as file:
        return {name: file.read(name) for name in file.entries}, dict(file.metadata)


def test_arrays_and_metadata_survive_a_round_trip(tmp_path):
    write_tensors(tmp_path / "a", ARRAYS, {**METADATA, "words": "ü\n\"'"})
    arrays, metadata = read(tmp_path / "a")
    assert metadata == {**METADATA, "words": "ü\n\"'"}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array)


def test_the_safetensors_library_reads_the_file(tmp_path):
    arrays = {name: array for name, array in ARRAYS.items() if name != "BF16"}
    write_tensors(tmp_path / "a", arrays, METADATA)
    loaded = safetensors.numpy.load_file(tmp_path / "a")
    assert loaded.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)


@settings(max_examples=25, deadline=None)
@given(st.lists(arrays_of.arrays(
    st.sampled_from(["float32", "int32", "bool", "uint8", "float64"]),
    arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
), max_size=5))  # fmt: skip
def test_random_arrays_survive_a_round_trip(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("any") / "a"
    write_tensors(path, {str(index): value for index, value in enumerate(values)}, METADATA)
    arrays, _ = read(path)
    safetensors.numpy.load_file(path)
    for index, value in enumerate(values):
        np.testing.assert_array_equal(arrays[str(index)], value)


def test_an_unsupported_dtype_is_refused(tmp_path):
    with pytest.raises(TypeError, match="'a' has the dtype complex64"):
        write_tensors(tmp_path / "a", {"a": np.zeros(2, "complex64")}, METADATA)
    assert os.listdir(tmp_path) == []


def test_leaves_are_named_by_their_paths():
    tree = {"b": (jnp.ones(1), {"c": 2}), "a": [3]}
    assert list(named_leaves("x", tree)) == ["x.a.0", "x.b.0", "x.b.1.c"]
    with pytest.raises(ValueError, match=r"Two arrays would have the name 'x\.a\.b'"):
        named_leaves("x", {"a.b": 1, "a": {"b": 2}})


def file_bytes(header, data=b"", length=None):
    compact = {"separators": (",", ":")}
    text = header if isinstance(header, bytes) else json.dumps(header, **compact).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


WRONG_DIGEST = {"__metadata__": {**METADATA, "digest": "0" * 64}}
ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}

# These files have no valid digest, which is the last part of the header to be checked.
INVALID_HEADERS = {
    "empty": (b"", "no header"),
    "short": (b"\x08\0\0", "no header"),
    "length beyond the file": (file_bytes({}, length=2**40), "no header"),
    "another format": (b"PK\x03\x04" + b"\0" * 100, "no header"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "no header"),
    "not JSON": (file_bytes(b"{nothing}"), "header cannot be read"),
    "not UTF-8": (file_bytes(b'{"\xff\xfe": 1}'), "header cannot be read"),
    "list": (file_bytes([1, 2]), "no header"),
    "duplicate key": (file_bytes(b'{"a": 1, "a": 2}'), "the key 'a' appears twice"),
    "NaN": (file_bytes(b'{"a": NaN}'), "NaN is not valid JSON"),
    "too large": (file_bytes(b'{"a": 1e999}'), "1e999 is too large"),
    "deep": (file_bytes(b"{" + b'"a":{' * 100_000 + b"}" * 100_001), "header cannot be read"),
    "no metadata": (file_bytes({"a": ENTRY}, b"\0" * 8), "no metadata"),
    "metadata that are not strings": (file_bytes({"__metadata__": {"format": 3}}), "no metadata"),
    "format": (
        file_bytes({"__metadata__": {"format": "pt"}}),
        "its 'format' is 'pt', expected 'fjax.test'",
    ),
    "no digest": (file_bytes({"__metadata__": METADATA}), "has no digest"),
    "digest": (file_bytes(WRONG_DIGEST), "damaged"),
}


@pytest.mark.parametrize("case", INVALID_HEADERS)
def test_a_file_with_an_invalid_header_is_refused(tmp_path, case):
    content, message = INVALID_HEADERS[case]
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ModelFileError, match=message):
        read(tmp_path / "a")


# These files have a valid digest: they are forged.
FORGED = {
    "gap": ({"a": ENTRY, "b": {**ENTRY, "data_offsets": [12, 20]}}, 20, "at byte 12, expected 8"),
    "overlap": ({"a": ENTRY, "b": {**ENTRY, "data_offsets": [4, 12]}}, 12, "at byte 4, expected 8"),
    "additional bytes": ({"a": ENTRY}, 12, "have 8 bytes, the file has 12"),
    "missing bytes": ({"a": ENTRY}, 4, "have 8 bytes, the file has 4"),
    "shape": ({"a": {**ENTRY, "shape": [2**40]}}, 8, "number of bytes"),
    "negative": ({"a": {**ENTRY, "shape": [-2]}}, 8, "invalid description"),
    "huge sizes": ({"a": {**ENTRY, "shape": [2**62, 2**62, 0]}}, 8, "number of bytes"),
    "many axes": ({"a": {**ENTRY, "shape": [1] * 40 + [2]}}, 8, "number of bytes"),
    "type": ({"a": {**ENTRY, "dtype": "O"}}, 8, "unknown dtype 'O'"),
    "boolean size": ({"a": {**ENTRY, "shape": [True]}}, 8, "invalid description"),
    "unknown key": ({"a": {**ENTRY, "path": "/etc/passwd"}}, 8, "invalid description"),
}  # fmt: skip


def with_valid_digest(header, data):
    zeros = "0" * 64
    header = {"__metadata__": {**METADATA, "digest": zeros}, **header}
    content = file_bytes(header, data)
    return content.replace(zeros.encode(), hashlib.sha256(content).hexdigest().encode())


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_header_is_refused(tmp_path, case):
    header, size, message = FORGED[case]
    (tmp_path / "a").write_bytes(with_valid_digest(header, b"\0" * size))
    with pytest.raises(ModelFileError, match=message):
        read(tmp_path / "a")


def test_what_is_not_a_regular_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("pipe", "loop", "", "nothing"):
        with pytest.raises(ModelFileError):
            read(tmp_path / name)
