"""Streams that can be captured, graphs, and memory pools, of the stand-in for CuPy."""

import contextlib
import math
import time

import numpy as np

ALIGNMENT = 512
_capture = None  # the graph of the stream that is captured
_current = []


class Graph:
    """What a captured stream was asked to do."""

    def __init__(self):
        self.nodes = []
        self.launches = 0

    def launch(self, stream=None):
        refuse_while_capturing("the launch of a graph")
        self.launches += 1
        for node in self.nodes:
            node()


class Stream:
    def __init__(self, null=False, non_blocking=False):
        self.null, self.ptr = null, 0 if null else id(self)

    def __enter__(self):
        _current.append(self)
        return self

    def __exit__(self, *_):
        _current.pop()

    def begin_capture(self):
        global _capture
        if self.null:
            raise RuntimeError("cudaErrorStreamCaptureImplicit: the null stream cannot be captured")
        refuse_while_capturing("another capture")
        _capture = Graph()

    def end_capture(self):
        global _capture
        graph, _capture = _capture, None
        return graph

    def synchronize(self):
        refuse_while_capturing("waiting for a stream")


_null = Stream(null=True)


def get_current_stream():
    return _current[-1] if _current else _null


def capturing():
    return _capture is not None


def refuse_while_capturing(what):
    if _capture is not None:
        raise RuntimeError(f"cudaErrorStreamCaptureUnsupported: {what} while a stream is captured")


def run(action):
    """Do something on the current stream: now, or at each launch of the graph that captures it."""
    if _capture is None:
        action()
    else:
        _capture.nodes.append(action)


class MemoryPool:
    """Counts what was allocated from it."""

    def __init__(self):
        self.allocated = 0

    def malloc(self, size):
        self.allocated += size


_pools = []


@contextlib.contextmanager
def using_allocator(malloc):
    _pools.append(malloc)
    try:
        yield
    finally:
        _pools.pop()


def allocate(shape, dtype):
    """Memory as aligned as kernels may expect of a whole allocation."""
    count = math.prod(shape) if isinstance(shape, tuple | list) else shape
    size = count * np.dtype(dtype).itemsize
    if _pools:
        _pools[-1](size)
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)


class Device:
    def __init__(self, id=0):
        self.id = id

    compute_capability = "90"
    attributes = {"MultiProcessorCount": 1, "MaxSharedMemoryPerBlockOptin": 227 << 10}  # noqa: RUF012 (CuPy's form)


class Event:
    def record(self):
        self.time = time.perf_counter()

    def synchronize(self):
        pass


def get_elapsed_time(start, end):
    return 1e3 * (end.time - start.time)


class runtime:  # noqa: N801 (CuPy's name)
    @staticmethod
    def getDeviceProperties(device):  # noqa: N802
        return {"name": b"stand-in"}

    @staticmethod
    def driverGetVersion():  # noqa: N802
        return 13000


def is_available():
    return True
