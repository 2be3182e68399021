"""The reader of HDF5 files, compared with h5py."""

import io

import h5py
import numpy as np
import pytest

from fjax.saving import ModelFileError
from fjax.storage.hdf5 import open_hdf5, write_hdf5


def written(write):
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        write(file)
    return memory.getvalue()


def assert_same(content):
    """Compare all that both readers find."""
    ours = open_hdf5("file", content)
    names = []

    def compare(name, theirs):
        names.append(name)
        if isinstance(theirs, h5py.Dataset):
            assert ours.entries[name].dtype == theirs.dtype
            np.testing.assert_array_equal(ours.read(name), theirs[()])
            assert ours.read(name).shape == theirs.shape
            return
        for attribute, value in theirs.attrs.items():
            if isinstance(value, str):
                assert ours.text(name, attribute) == value
            else:
                assert ours.texts(name, attribute) == [
                    each.decode() if isinstance(each, bytes) else each for each in value
                ]

    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(compare)
    assert {*names} == {*ours.entries, *ours.groups} - {""}
    return ours


def write_arrays(file):
    random = np.random.default_rng(0)
    for dtype in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
        file[f"numbers/{dtype}"] = (100 * random.random((3, 4))).astype(dtype)
    file["scalar"], file["empty"] = np.float32(3), np.zeros((3, 0, 2), "f4")
    file.create_dataset("chunks", data=random.random((20, 7)), chunks=(6, 3))
    file.create_dataset("none", shape=(0, 3), chunks=(2, 2), maxshape=(None, 3), dtype="f4")
    file.create_dataset(
        "packed", data=random.random((50, 7)).astype("f4"),
        compression="gzip", shuffle=True, fletcher32=True, chunks=(12, 5),
    )  # fmt: skip


def write_groups(file):
    for number in range(200):
        file[f"many/group_{number}/vars/0"] = np.arange(number % 7)
    file.create_group("empty").attrs["names"] = []


def write_texts(file):
    group = file.create_group("texts")
    group.attrs["text"], group.attrs["bytes"] = "ü", np.bytes_(b"abc")
    group.attrs["list"] = ["a", "", "longer"]
    group.attrs["fixed"] = np.array([b"ab", b"c"])


def test_arrays_groups_and_texts_are_those_of_h5py():
    for write in (write_arrays, write_groups):
        assert_same(written(write))
    ours = open_hdf5("file", written(write_texts))
    assert ours.text("texts", "text") == "ü" and ours.text("texts", "bytes") == "abc"
    assert ours.texts("texts", "list") == ["a", "", "longer"]
    assert ours.texts("texts", "fixed") == ["ab", "c"]
    assert ours.text("texts", "missing") is None and ours.texts("texts", "missing") is None
    with pytest.raises(ModelFileError, match="expected one text"):
        ours.text("texts", "list")
    with pytest.raises(ModelFileError, match="expected a list"):
        ours.texts("texts", "text")


def test_a_long_list_is_split_as_keras_does():
    def write(file):
        file.attrs["names0"], file.attrs["names1"] = ["a", "b"], ["c"]

    assert open_hdf5("file", written(write)).texts("", "names") == ["a", "b", "c"]


def test_what_is_written_is_read():
    memory = io.BytesIO()
    arrays = {
        "layers/dense/vars/0": np.ones((2, 3), "f4"),
        "layers/dense/vars/1": np.zeros(3, "f4"),
    }
    write_hdf5(memory, arrays, {"layers/dense/vars": {"name": "dense"}})
    ours = assert_same(memory.getvalue())
    assert ours.text("layers/dense/vars", "name") == "dense"


def soft_link(file):
    file["link"] = h5py.SoftLink("/target")


def external_link(file):
    file["link"] = h5py.ExternalLink("/etc/passwd", "/")


def external_bytes(file):
    file.create_dataset("array", (4,), "u1", external=[("/etc/passwd", 0, 4)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "array", (4,))
    file.create_virtual_dataset("array", layout)


def cycle(file):
    group = file.create_group("group")
    group["again"] = file["/"]


def twice(file):
    file["array"] = np.ones(3)
    file["again"] = file["array"]


def opaque(file):
    file["array"] = np.zeros(3, "V2")
    file["array"].attrs["dtype"] = "float8"


def huge_shape(file):
    file.create_dataset("array", (2**40,), "f4", chunks=(2**10,), fillvalue=1.0)


def huge_contiguous(file):
    file.create_dataset("array", (2**40,), "f4")


def bomb(file):
    file.create_dataset("array", data=np.zeros(2**25), compression="gzip", chunks=(2**20,))


def references(file):
    file["target"] = np.ones(3)
    file.create_dataset("array", (1,), h5py.ref_dtype)[0] = file["target"].ref


def texts(file):
    file["array"] = ["text"]


def compound(file):
    file["array"] = np.zeros(2, [("a", "f4"), ("b", "f4")])


def missing_chunks(file):
    file.create_dataset("array", (10,), "f4", chunks=(5,))[:5] = 1.0


def big_endian(file):
    file["array"] = np.ones(3, ">f4")


REFUSED = {
    soft_link: "is a link to a name",
    external_link: "may lead into other files",
    external_bytes: "its bytes in other files",
    virtual: "layout|newer form",
    cycle: "linked twice, or contains itself",
    twice: "linked twice",
    huge_shape: "would have 4398046511104 bytes",
    huge_contiguous: "but has no bytes",
    bomb: "its arrays would have 268435456 bytes",
    references: "neither a number nor text",
    texts: "expected numbers",
    compound: "neither a number nor text",
    big_endian: "neither a number nor text",
    opaque: "entries of 2 bytes of an unknown type",
}


@pytest.mark.parametrize("write", REFUSED, ids=lambda write: write.__name__)
def test_what_keras_does_not_write_is_refused(write):
    with pytest.raises(ModelFileError, match=REFUSED[write]):
        open_hdf5("file", written(write))


def test_an_array_with_missing_chunks_is_refused():
    with pytest.raises(ModelFileError, match="1 of its 2 chunks"):
        open_hdf5("file", written(missing_chunks)).read("array")


@pytest.mark.parametrize("version", ["v108", "latest"])
def test_newer_forms_are_refused(version):
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=version) as file:
        file["array"] = np.ones(3)
    with pytest.raises(ModelFileError, match="in a newer form of HDF5"):
        open_hdf5("file", memory.getvalue())
