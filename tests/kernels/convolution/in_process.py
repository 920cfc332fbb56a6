"""Convolutions whose bits are compared between threads, runs and processes; runs as a program of its own."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numba
from convolution_calls import OPERATIONS, Call
from tilegrad.kernels.machine import threads

PAD = ((1, 1), (1, 1))
CALLS = [
    Call((3, 40, 40, 17), (33, 3, 3, 17), padding=PAD, bias=True, activation="relu", whole=False),
    Call((3, 40, 40, 32), (32, 3, 3, 32), padding=PAD, bias=True, activation="tanh", whole=False),
    Call((4, 28, 28, 16), (48, 4, 4, 16), stride=(2, 2), padding=PAD, whole=False, dtype="float64"),
    Call((3, 40, 40, 64), (64, 3, 3, 1), padding=PAD, groups=64, whole=False),
    Call((2, 60, 60, 8), (8, 3, 3, 4), dilation=(2, 2), groups=2, whole=False),
    Call((3, 28, 28, 32), (48, 4, 4, 32), stride=(2, 2), padding=PAD, bias=True, whole=False),
    Call((3, 40, 40, 1), (32, 3, 3, 1), padding=PAD, bias=True, activation="relu", whole=False),
    Call((3, 40, 40, 32), (1, 3, 3, 32), padding=PAD, bias=True, whole=False),
]


def results() -> list[bytes]:
    """The bits of every operation on every call, in every variant that takes it."""
    found = []
    for call in CALLS:
        for operation in OPERATIONS:
            arrays = call.arrays(operation)
            for variant in ("direct", "winograd", "winograd_phases", "winograd_rows", "taps", "depthwise", "im2col"):
                try:
                    found.append(call.run(operation, arrays, variant=variant).tobytes())
                except ValueError:
                    continue
    return found


def test_any_number_of_threads_gives_the_same_bits() -> None:
    most = numba.config.NUMBA_NUM_THREADS
    assert most == 8  # of the environment
    numba.set_num_threads(1)
    expected = results()
    for count in (2, 3, most):
        numba.set_num_threads(count)
        assert results() == expected, count


def test_eight_python_threads_at_once() -> None:
    numba.set_num_threads(2)
    expected = results()

    def work(_: int) -> bool:
        numba.set_num_threads(2)
        return results() == expected

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


def test_the_layer_is_the_one_that_was_asked_for() -> None:
    assert threads.layer() == ("python" if "workqueue" in sys.argv else "numba")


if __name__ == "__main__":
    if "workqueue" in sys.argv:
        for pool in ("omppool", "tbbpool"):
            sys.modules[f"numba.np.ufunc.{pool}"] = None  # type: ignore[assignment]
    test_any_number_of_threads_gives_the_same_bits()
    test_eight_python_threads_at_once()
    test_the_layer_is_the_one_that_was_asked_for()
