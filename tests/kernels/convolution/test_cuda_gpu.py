"""The CUDA variants on a GPU: the checks that elsewhere run in the simulator and the emulator, with larger shapes."""

import pytest
from cuda_cases import TENSOR_CORES, Case, cases, check
from gpu import needs_gpu, needs_tensor_cores, to_gpu
from hypothesis import given, settings
from hypothesis import strategies as st
from tilegrad.kernels.convolution import CONV2D_INPUT_GRAD, CONV2D_WEIGHT_GRAD
from tilegrad.kernels.operation import Operation
from tolerances import EPS


@needs_gpu
@given(
    cases(
        sizes=(1, 7, 33, 65),
        kernels=(1, 2, 3, 7),
        strides=(1, 2, 3),
        dilations=(1, 2),
        groups=(1, 2, 3),
        dtypes=("float32", "float64"),
    )
)
@settings(max_examples=200)
def test_naive(case: Case) -> None:
    check(case, "naive", EPS[case.dtype], to_gpu)


@needs_gpu
@given(
    cases(
        sizes=(1, 7, 33, 65), out_channels=(1, 17, 65), kernels=(1, 3, 5), strides=(1, 2), dtypes=("float32", "float64")
    )
)
@settings(max_examples=200)
def test_tiled(case: Case) -> None:
    check(case, "tiled", EPS[case.dtype], to_gpu)


@needs_tensor_cores
@pytest.mark.parametrize("variant", TENSOR_CORES)
@needs_gpu
@given(
    cases(sizes=(1, 8, 33, 65), channels=(4, 32, 36, 128), out_channels=(2, 32, 66, 256), kernels=(1, 2, 3, 4, 5)),
    st.sampled_from((1, 2)),
)
@settings(max_examples=200)
def test_mma(variant: str, case: Case, stride: int) -> None:
    check(case._replace(stride=(stride, stride)), variant, TENSOR_CORES[variant], to_gpu)


@needs_tensor_cores
@pytest.mark.parametrize("variant", TENSOR_CORES)
@pytest.mark.parametrize("operation", [CONV2D_INPUT_GRAD, CONV2D_WEIGHT_GRAD], ids=lambda o: o.name)
@needs_gpu
@given(
    cases(sizes=(1, 8, 33, 65), channels=(4, 36, 64, 132), out_channels=(4, 32, 68, 256), kernels=(1, 2, 3, 4, 5)),
    st.sampled_from((1, 2)),
)
@settings(max_examples=200)
def test_mma_gradients(operation: Operation, variant: str, case: Case, stride: int) -> None:
    check(case._replace(stride=(stride, stride)), variant, TENSOR_CORES[variant], to_gpu, operation)
