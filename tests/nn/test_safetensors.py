"""The safetensors format: round trips, the library's own files, and files that lie."""

import contextlib
import json
import os

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from tilegrad import nn

dtypes = st.sampled_from(["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"])
arrays = dtypes.flatmap(lambda dtype: st_numpy.arrays(dtype, st_numpy.array_shapes(min_dims=0, min_side=0, max_side=4)))
names = st.text(min_size=1).filter(lambda name: name != "__metadata__")


def assert_same(read, written):
    assert read.keys() == written.keys()
    for name, array in written.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


@given(tensors=st.dictionaries(names, arrays, max_size=4), metadata=st.dictionaries(st.text(), st.text(), max_size=3))
def test_round_trip(tmp_path_factory, tensors, metadata):
    path = tmp_path_factory.mktemp("round") / "file.safetensors"
    nn.save_file(tensors, path, metadata)
    read, facts = nn.load_file(path)
    assert facts == metadata
    assert_same(read, tensors)


@pytest.mark.parity
@given(tensors=st.dictionaries(names, arrays, max_size=4), metadata=st.dictionaries(st.text(), st.text(), max_size=3))
@settings(max_examples=25)
def test_the_library_reads_our_files_and_we_its(tmp_path_factory, tensors, metadata):
    library = pytest.importorskip("safetensors.numpy")
    assume(tensors or metadata)  # for neither, the library writes a header that is not JSON
    folder = tmp_path_factory.mktemp("library")
    nn.save_file(tensors, folder / "ours", metadata)
    assert_same(library.load_file(folder / "ours"), tensors)
    contiguous = {name: np.array(array, order="C") for name, array in tensors.items()}
    library.save_file(contiguous, folder / "theirs", metadata)
    read, facts = nn.load_file(folder / "theirs")
    assert_same(read, tensors)
    assert facts == metadata


def test_strided_and_big_endian_arrays_are_written_as_they_read(tmp_path):
    array = np.arange(24.0).reshape(4, 6)[::-2, 1::2]
    nn.save_file({"strided": array, "big": array.astype(">f4")}, tmp_path / "file")
    read, _ = nn.load_file(tmp_path / "file")
    np.testing.assert_array_equal(read["strided"], array)
    np.testing.assert_array_equal(read["big"], array)


def test_the_layout_is_kept_by_its_metadata(tmp_path):
    nn.save_file({"x": np.ones(1)}, tmp_path / "with", {"layout": "OHWI"})
    nn.save_file({"x": np.ones(1)}, tmp_path / "without")
    assert isinstance(nn.load_file(tmp_path / "with")[0], nn.StateDict)
    assert not isinstance(nn.load_file(tmp_path / "without")[0], nn.StateDict)


def test_what_the_format_has_no_name_for(tmp_path):
    with pytest.raises(TypeError, match="save_file: x has dtype complex128, which the format has no name for"):
        nn.save_file({"x": np.ones(1, complex)}, tmp_path / "file")
    with pytest.raises(TypeError, match="save_file: metadata expects strings but got 'step': 3"):
        nn.save_file({}, tmp_path / "file", {"step": 3})
    assert os.listdir(tmp_path) == []


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    nn.save_file({"x": np.ones(1)}, path)

    def fail(descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        nn.save_file({"x": np.zeros(1)}, path)
    assert os.listdir(tmp_path) == ["file"]
    assert nn.load_file(path)[0]["x"] == 1.0


def header(**entries):
    return json.dumps(entries).encode()


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


LIES = {
    "empty": (b"", r"not a safetensors file"),
    "short": (b"abc", r"not a safetensors file"),
    "header longer than the file": (
        ((1 << 60).to_bytes(8, "little") + b"{}"),
        r"a header of 1152921504606846976 bytes",
    ),
    "header not JSON": (b"\x01\0\0\0\0\0\0\0x", "its header is not JSON"),
    "header not text": (b"\x02\0\0\0\0\0\0\0\xff\xfe", "its header is not JSON"),
    "header nested": ((200_000).to_bytes(8, "little") + b"[" * 200_000, "its header is not JSON"),
    "header a list": (b"\x02\0\0\0\0\0\0\0[]", "expects a JSON object but got list"),
    "name twice": (b'{"x":1,"x":2}', "a name occurs twice"),
    "metadata not strings": (header(__metadata__={"a": 1}), "__metadata__ expects strings"),
    "entry not an object": (header(x=3), "x expects dtype, shape and data_offsets but got 3"),
    "entry incomplete": (header(x={"dtype": "F32"}), "x expects dtype, shape and data_offsets"),
    "unknown dtype": (header(x=entry("F33")), "x has the unknown dtype 'F33'"),
    "negative shape": (header(x=entry(shape=(-2,))), r"x has the shape \[-2\]"),
    "fractional shape": (header(x=entry(shape=(2.5,))), r"x has the shape \[2.5\]"),
    "true as a shape": (header(x=entry(shape=(True, 2))), r"x has the shape \[True, 2\]"),
    "three offsets": (header(x=entry(offsets=(0, 4, 8))), r"the offsets \[0, 4, 8\]"),
    "beyond the end": (header(x=entry(shape=(1 << 40,), offsets=(0, 1 << 42))), "but there are 8 bytes of data"),
    "before the start": (header(x=entry(offsets=(8, 0))), "x lies at 8 to 0"),
    "wrong length": (header(x=entry(shape=(3,))), r"x of F32 and shape \[3\] does not fit into 8 bytes"),
    "overflowing shape": (header(x=entry(shape=(1 << 62, 1 << 62))), "does not fit into 8 bytes"),
    "overlap": (
        header(x=entry(), y=entry(shape=(1,), offsets=(4, 8))),
        "y starts at 4, but what is before it",
    ),
    "gap": (header(x=entry(shape=(1,), offsets=(4, 8))), "x starts at 4, but what is before it ends at 0"),
    "rest": (header(x=entry(shape=(1,), offsets=(0, 4))), "4 bytes after the last array belong to none"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_file_that_lies_is_refused(tmp_path, name):
    content, message = LIES[name]
    if content[:1] == b"{":
        content = len(content).to_bytes(8, "little") + content + bytes(8)
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        nn.load_file(path)


@given(seed=st.integers(0, 2**32), kind=st.sampled_from(["flip", "cut", "insert"]))
def test_a_damaged_file_gives_arrays_or_a_value_error(tmp_path_factory, seed, kind):
    path = tmp_path_factory.mktemp("damaged") / "file"
    nn.save_file({"weight": np.ones((2, 3), np.float32), "bias": np.zeros(3)}, path, {"layout": "OHWI"})
    random, content = np.random.default_rng(seed), bytearray(path.read_bytes())
    place = int(random.integers(len(content)))
    if kind == "flip":
        content[place] ^= 1 << int(random.integers(8))
    elif kind == "cut":
        del content[place:]
    else:
        content.insert(place, int(random.integers(256)))
    path.write_bytes(content)
    with contextlib.suppress(ValueError):
        arrays, _ = nn.load_file(path)
        assert sum(array.nbytes for array in arrays.values()) <= len(content)


def test_an_array_cannot_be_named_like_the_metadata(tmp_path):
    with pytest.raises(ValueError, match="save_file: tensors expects names other than __metadata__"):
        nn.save_file({"__metadata__": np.zeros(2)}, tmp_path / "file.safetensors")
    assert not list(tmp_path.iterdir())
