"""The safetensors format: 8 bytes with the length of a header, the header, the data.

The header is JSON: for each array its dtype, its shape and its place in the data, and ``__metadata__``, strings by
name. A file holds no code. What a header claims is checked against the size of the file before any memory is taken.
"""

import json
import math
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..kernels.arrays import to_device
from .modules.module import LAYOUT, StateDict

MAX_HEADER = 100 << 20
DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "|b1",
}  # fmt: skip
NAMES = {np.dtype(dtype): name for name, dtype in DTYPES.items()}


def save_file(tensors: Mapping[str, Any], path: str | os.PathLike, metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays to a safetensors file, whole or not at all.

    Parameters
    ----------
    tensors : mapping of names to arrays
    path : path
        Written beside it under another name first, then renamed over it.
    metadata : mapping of strings to strings, optional

    Raises
    ------
    TypeError
        Where a dtype has no name in the format, or metadata is not strings.
    ValueError
        Where an array is named ``__metadata__``.
    """
    header: dict[str, Any] = {}
    if metadata is not None:
        for key, value in metadata.items():
            if not (isinstance(key, str) and isinstance(value, str)):
                raise TypeError(f"save_file: metadata expects strings but got {key!r}: {value!r}")
        header["__metadata__"] = dict(metadata)
    if "__metadata__" in tensors:
        raise ValueError("save_file: tensors expects names other than __metadata__, which the format keeps for itself")
    arrays = {name: np.asarray(to_device(tensor, "cpu")) for name, tensor in tensors.items()}
    for name, array in arrays.items():
        if array.dtype.newbyteorder("<") not in NAMES:
            raise TypeError(f"save_file: {name} has dtype {array.dtype}, which the format has no name for")
    end = 0
    ordered = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))  # so that each one is aligned
    for name in ordered:
        array = arrays[name]
        start, end = end, end + array.nbytes
        dtype = NAMES[array.dtype.newbyteorder("<")]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    # Not tempfile's, which nobody but the owner may read.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for name in ordered:
                array = arrays[name]
                file.write(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def load_file(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays and the metadata of a safetensors file.

    Where the metadata states ``layout=OHWI``, the arrays come as a `StateDict`, which modules load.

    Raises
    ------
    ValueError
        Where the file is not a safetensors file, or its header claims what cannot be.
    """
    with open(path, "rb") as file:
        header, start = _read_header(file, path)
        metadata = header.pop("__metadata__", {})
        if not (isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())):
            raise ValueError(f"{path}: __metadata__ expects strings by name but got {metadata!r}")
        available = os.fstat(file.fileno()).st_size - start
        places = _checked_places(header, available, path)
        arrays: dict[str, np.ndarray] = StateDict() if metadata.get("layout") == LAYOUT else {}
        for name, (dtype, shape, begin) in places.items():
            array = np.empty(shape, dtype)
            file.seek(start + begin)
            if file.readinto(array.reshape(-1).view(np.uint8).data) != array.nbytes:
                raise ValueError(f"{path}: the file ended within {name}")
            arrays[name] = array
    return arrays, metadata


def _read_header(file: BinaryIO, path: Any) -> tuple[dict[str, Any], int]:
    """The parsed header, and where the data starts."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(size - 8, MAX_HEADER):
        raise ValueError(f"{path}: not a safetensors file: a header of {length} bytes in a file of {size}")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError(f"a name occurs twice among {[name for name, _ in pairs]}")
        return found

    try:
        header = json.loads(file.read(length).decode(), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not a safetensors file: its header is not JSON ({error})") from None
    if not isinstance(header, dict):
        raise ValueError(f"{path}: the header expects a JSON object but got {type(header).__name__}")
    return header, 8 + length


def _checked_places(header: dict[str, Any], available: int, path: Any) -> dict[str, tuple[str, tuple[int, ...], int]]:
    """Dtype, shape and offset of each array: inside the file, of the right length, without overlap or gap."""
    places = {}
    spans = []
    for name, entry in header.items():
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise ValueError(f"{path}: {name} expects dtype, shape and data_offsets but got {entry!r}")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise ValueError(f"{path}: {name} has the unknown dtype {dtype!r}")
        if not (_are_counts(shape) and _are_counts(offsets) and len(offsets) == 2 and len(shape) <= 32):
            raise ValueError(f"{path}: {name} has the shape {shape!r} and the offsets {offsets!r}")
        begin, end = offsets
        if not begin <= end <= available:
            raise ValueError(f"{path}: {name} lies at {begin} to {end}, but there are {available} bytes of data")
        if math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize != end - begin:
            raise ValueError(f"{path}: {name} of {dtype} and shape {shape} does not fit into {end - begin} bytes")
        places[name] = (DTYPES[dtype], tuple(shape), begin)
        spans.append((begin, end, name))
    reached = 0
    for begin, end, name in sorted(spans):
        if begin != reached:
            raise ValueError(f"{path}: {name} starts at {begin}, but what is before it ends at {reached}")
        reached = end
    if reached != available:
        raise ValueError(f"{path}: {available - reached} bytes after the last array belong to none")
    return places


def _are_counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)
