"""A model as an OpenVINO graph: bytes in, bytes out, with the layers that must stay in float32 marked.

OpenVINO's hint to compute in bfloat16 concerns every layer; only layers whose description carries the attribute `precise` are
left out. There is no function that sets it, so it is written into the graph's XML. Convolutions between the first and the last
run in bfloat16. Float32 stays:

- the frame's way to the first convolution (a picture has more levels than bfloat16 tells apart above 1/2),
- the first convolution and its average's way through the next one, where it has a pooling behind it: rounding that average made
  half of all of bfloat16's error (docs/notes/model.md, fifth round),
- attention: code, queries, the products that give moments, their differences and roots (small differences of large numbers),
- normalisation: means and variances of features, and what is computed from them (their errors are those of whole pictures),
- the last convolution and the way out, where an error is an error of the picture.

A layer that the plugin replaces by another one forgets its mark: padding, pooling and division by a number are written in forms
that it keeps; reshaping a code and some means still round to bfloat16.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

import numpy as np
import openvino
import torch
from numpy.typing import NDArray
from openvino.frontend.pytorch import ConversionExtension
from openvino.frontend.pytorch.fx_decoder import TorchFXPythonDecoder
from openvino.frontend.pytorch.torchdynamo.export_decompositions import ops_to_not_decompose
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx

from vidstyle.engines.graph import FromBytes, MixedFromBytes, example
from vidstyle.models.checkpoint import StyleModel
from vidstyle.models.style_code import StyleCode

_OPEN = "weight."
"""Begins the names of inputs that are weights."""
_PRODUCTS = {"MatMul", "ScaledDotProductAttention"}
_ARITHMETIC = frozenset(
    (
        *(
            "Add",
            "Subtract",
            "Multiply",
            "Divide",
            "Power",
            "Sqrt",
            "Maximum",
            "Minimum",
            "ReduceSum",
            "ReduceMean",
            "ReduceL2",
        ),
        *("Slice", "StridedSlice", "VariadicSplit", "Reshape", "Transpose", "Unsqueeze", "Squeeze"),
    )
)
"""Layers that belong to attention where they touch its products."""


def convert(
    model: StyleModel,
    height: int,
    width: int,
    code: StyleCode,
    *,
    strength: bool,
    beyond: bool = False,
    weights: Sequence[str] = (),
) -> openvino.Model:
    """The graph for frames of one size and codes of one shape. Takes seconds.

    Args:
        code: of batch 1; only its shapes matter.
        strength: the graph has an input more, the strength (1,) float32, in [0, 1].
        beyond: it is in [1, 2].
        weights: names of parameters that stay open: inputs, until `with_weights` closes them.
    """
    own = dict(cast(nn.Module, model).named_parameters())
    inputs = example(height, width, code, strength=strength)
    given = (*inputs, *(own[name].detach() for name in weights))
    graph = _converted(FromBytes(model, code, strength=strength, beyond=beyond, weights=weights), given)
    for port, name in zip(graph.inputs[len(inputs) :], weights, strict=True):
        port.get_node().set_friendly_name(_OPEN + name)
    return graph


def convert_mixed(
    model: StyleModel, height: int, width: int, code: StyleCode, *, strength: bool, beyond: bool
) -> openvino.Model:
    """As `convert`, of several styles in one picture (`graph.MixedFromBytes`); `code` is of batch R."""
    count = 1 + len(code.named())
    inputs = example(height, width, code, strength=strength)
    shares = torch.ones(1, len(next(iter(code.named().values()))), height, width)
    given = (*inputs[:count], shares, *inputs[count:])
    return _converted(MixedFromBytes(model, code, strength=strength, beyond=beyond), given)


def _converted(module: nn.Module, given: tuple[Tensor, ...]) -> openvino.Model:
    graph = openvino.convert_model(
        _recorded(module.eval(), given),
        extension=[ConversionExtension("aten.replication_pad2d.default", replicate_pad)],
    )
    graph.reshape({port: list(value.shape) for port, value in zip(graph.inputs, given, strict=True)})
    graph.inputs[0].get_node().set_friendly_name("frames")
    _sum_squares_while_reading(graph)
    return graph


def with_weights(graph: openvino.Model, weights: Mapping[str, NDArray[np.float32]]) -> openvino.Model:
    """The same graph, changed in place, with constants for the weights that were left open."""
    for parameter in graph.get_parameters():
        name = parameter.get_friendly_name()
        if name.startswith(_OPEN):
            value = openvino.op.Constant(np.ascontiguousarray(weights[name.removeprefix(_OPEN)]))
            parameter.output(0).replace(value.output(0))
            graph.remove_parameter(parameter)
    return graph


def stored(graph: openvino.Model) -> bytes:
    """A graph as bytes, which `restored` reads: the length of its XML (8 bytes, little-endian), XML, weights."""
    xml, weights = _serialised(graph)
    return len(xml).to_bytes(8, "little") + xml + weights


def restored(data: bytes) -> openvino.Model:
    """The graph of `stored`. Raises RuntimeError for what is none."""
    end = 8 + int.from_bytes(data[:8], "little")
    return _read(data[8:end], data[end:])


def _serialised(graph: openvino.Model) -> tuple[bytes, bytes]:
    """A graph's XML and weights."""
    with tempfile.TemporaryDirectory() as folder:
        xml, weights = Path(folder) / "graph.xml", Path(folder) / "graph.bin"
        openvino.serialize(graph, xml, weights)
        return xml.read_bytes(), weights.read_bytes()


def _read(xml: bytes, weights: bytes) -> openvino.Model:
    return openvino.Core().read_model(xml, openvino.Tensor(np.frombuffer(weights, np.uint8).copy()))


def _recorded(module: nn.Module, inputs: tuple[Tensor, ...]) -> TorchFXPythonDecoder:
    """The module in the operations that OpenVINO knows, and padding with the border as one operation: taken apart into
    look-ups by index, as would be done by default, it takes as long as the convolutions.

    Recorded in one pass, on tensors without values. torch.export followed by `run_decompositions` gives the same operations
    and takes three times as long.
    """
    table = torch.export.default_decompositions()
    for operation in (*ops_to_not_decompose(), torch.ops.aten.replication_pad2d.default):
        table.pop(operation, None)
    record = make_fx(module, dict(table.items()), tracing_mode="fake", _allow_non_fake_inputs=True)
    with torch.no_grad():
        return TorchFXPythonDecoder(record(*inputs), dynamic_shapes=True)


def replicate_pad(node: Any) -> list[Any]:
    """aten.replication_pad2d(x, [left, right, above, below]) as OpenVINO has it."""
    left, right, above, below = node.get_values_from_const_input(1)
    begin, end = (openvino.op.Constant(np.array(v, np.int64)) for v in ((0, 0, above, left), (0, 0, below, right)))
    return [openvino.opset1.pad(node.get_input(0), begin, end, "edge").output(0)]


def _sum_squares_while_reading(graph: openvino.Model) -> None:
    """Write mean(x * x) as |x|^2 / n, in place: OpenVINO fuses no product into the mean, and would write a tensor of squares as
    large as x; a norm reads x alone."""
    for mean in graph.get_ops():
        square = mean.input_value(0).get_node() if mean.get_type_name() == "ReduceMean" else None
        if square is None or square.get_type_name() != "Multiply":
            continue
        x, same = square.input_values()
        if x != same:
            continue
        norm = openvino.opset13.reduce_l2(x, mean.input_value(1), mean.get_keep_dims())
        share = np.float32(np.prod(norm.output(0).get_shape()) / np.prod(x.get_shape()))
        squares = openvino.opset13.multiply(norm, norm)
        mean.output(0).replace(openvino.opset13.multiply(squares, share).output(0))


def _in_forms_that_stay(graph: openvino.Model) -> None:
    """Write average pooling as of the first set of operations, and division by a number as a product, in place: what the plugin
    would do itself, forgetting marks."""
    for old in graph.get_ops():
        if old.get_type_name() == "AvgPool":
            about = old.get_attributes()
            names = ("strides", "pads_begin", "pads_end", "kernel", "exclude-pad", "rounding_type", "auto_pad")
            old.output(0).replace(openvino.opset1.avg_pool(old.input_value(0), *(about[n] for n in names)).output(0))
        elif old.get_type_name() == "Divide" and old.get_element_type() == openvino.Type.f32:
            by = old.input_value(1).get_node()
            if by.get_type_name() == "Constant" and by.get_data().size == 1:
                share = np.float32(1 / by.get_data().item())
                old.output(0).replace(openvino.opset13.multiply(old.input_value(0), share).output(0))


def with_float32_kept(graph: openvino.Model) -> openvino.Model:
    """The same graph, changed in place, whose delicate layers ignore a hint to compute in less than float32."""
    _in_forms_that_stay(graph)
    xml, weights = _serialised(graph)
    root = ET.fromstring(xml)
    mark(root)
    return _read(ET.tostring(root), weights)


def mark(root: ET.Element) -> None:
    """Give the delicate layers of a graph's XML the attribute `precise`."""
    layers = {layer.get("id", ""): layer for layer in root.iterfind("layers/layer")}
    kinds = {key: layer.get("type", "") for key, layer in layers.items()}
    after: dict[str, list[str]] = {key: [] for key in layers}
    before: dict[str, list[str]] = {key: [] for key in layers}
    for edge in root.iterfind("edges/edge"):
        source, target = edge.get("from-layer", ""), edge.get("to-layer", "")
        after[source].append(target)
        before[target].append(source)

    def reached(start: Iterable[str], ways: dict[str, list[str]], through: Callable[[str], bool]) -> set[str]:
        found, open_ = set[str](), list(start)
        while open_:
            for key in ways[open_.pop()]:
                if key not in found and through(key):
                    found.add(key)
                    open_.append(key)
        return found

    convolutions = {key for key, kind in kinds.items() if kind == "Convolution"}
    behind = reached(convolutions, after, lambda _: True)
    frame = {key for key, layer in layers.items() if layer.get("name") == "frames"}
    way_in = reached(frame, after, lambda key: key not in behind | convolutions)
    first = {key for key in convolutions if not reached([key], before, lambda _: True) & convolutions}
    second = {key for key in convolutions - first if reached([key], before, lambda _: True) & convolutions <= first}
    between = reached(first, after, lambda key: key not in convolutions)
    between &= reached(second, before, lambda key: key not in convolutions)
    start = first | between | second if any(kinds[key] == "AvgPool" for key in between) else set[str]()
    last = {key for key in convolutions if not reached([key], after, lambda _: True) & convolutions}
    way_out = last | reached(last, after, lambda _: True)
    products = {key for key in behind if kinds[key] in _PRODUCTS}
    statistics = {key for key in behind if kinds[key] in ("ReduceMean", "ReduceL2")}
    results = reached(products | statistics, after, lambda key: kinds[key] in _ARITHMETIC)
    operands = reached(products, before, lambda key: key in behind and kinds[key] in _ARITHMETIC | {"Concat"})
    of_code = reached(products | results, before, lambda key: key not in behind | convolutions)
    for key in way_in | start | way_out | products | statistics | results | operands | of_code:
        if kinds[key] not in ("Parameter", "Constant", "Result"):
            about = layers[key].find("rt_info")
            if about is None:
                about = ET.SubElement(layers[key], "rt_info")
            ET.SubElement(about, "attribute", {"name": "precise", "version": "0"})
