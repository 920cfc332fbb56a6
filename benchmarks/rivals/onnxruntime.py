"""ONNX Runtime: inference of whole networks, as a graph of the same weights.

The graph holds convolutions, batch normalisations and relus apart; ONNX Runtime folds and fuses them, and chooses its
own layout, when it loads the graph.
"""

import functools
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from .. import networks
from ..contestant import Arrays, Contestant, Prepared
from ..network_kinds import DnCNN

_OPSET, _IR_VERSION = 17, 8  # old enough for every version that runs on a supported Python


def contestants(threads: int, compiled: bool) -> list[Contestant]:
    """ONNX Runtime with this many threads."""
    library = f"onnxruntime {onnxruntime.__version__}"
    return [Contestant("onnxruntime", library, functools.partial(prepare, threads=threads), lambda work: None)]


@functools.singledispatch
def prepare(work: Any, arrays: Arrays, threads: int) -> Prepared | None:
    """Make a workload ready; see `Contestant`. It has nothing to show but inference."""
    return None


@prepare.register
def _(work: DnCNN, arrays: Arrays, threads: int) -> Prepared | None:
    if work.training:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.force_spinning_stop", "1")  # after a run: others take their turn
    session = onnxruntime.InferenceSession(
        dncnn_graph(work), options, providers=["CPUExecutionProvider"]
    )  # fmt: skip
    x = np.ascontiguousarray(np.moveaxis(arrays["x"], 3, 1))

    def call() -> np.ndarray:
        return session.run(None, {"x": x})[0]

    return Prepared(call, lambda: (np.moveaxis(call(), 1, 3),))


def dncnn_graph(work: DnCNN) -> bytes:
    """The network as an ONNX file, NCHW."""
    weights = networks.dncnn(work).state_dict()
    nodes, constants = [], []

    def constant(name: str) -> str:
        array = np.asarray(weights[name])
        array = np.ascontiguousarray(np.moveaxis(array, 3, 1)) if array.ndim == 4 else array
        constants.append(numpy_helper.from_array(array, name))
        return name

    def node(kind: str, *inputs: str, output: str, **settings: Any) -> str:
        nodes.append(helper.make_node(kind, list(inputs), [output], **settings))
        return output

    convolution = functools.partial(node, "Conv", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    value = "x"
    for i in range(work.depth):
        name = f"network.{i}"
        if f"{name}.conv.weight" in weights:
            value = convolution(value, constant(f"{name}.conv.weight"), output=f"{name}.convolved")
            statistics = [constant(f"{name}.norm.{v}") for v in ("weight", "bias", "running_mean", "running_var")]
            value = node("BatchNormalization", value, *statistics, output=f"{name}.normalised", epsilon=1e-5)
        else:
            value = convolution(
                value, constant(f"{name}.weight"), constant(f"{name}.bias"), output=f"{name}.convolved"
            )  # fmt: skip
        if i < work.depth - 1:
            value = node("Relu", value, output=f"{name}.activated")
    node("Sub", "x", value, output="y")
    n, h, w, c = work.input
    images = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [n, c, h, w]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "dncnn", images[:1], images[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    return model.SerializeToString()
