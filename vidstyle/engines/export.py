"""A model as a file for other programs: ONNX, or OpenVINO's own format. Frames and a code's tensors in, frames out; or pictures
alone, where a style is baked in (`bake`).

A graph that takes codes is for frames of one size, one a call; a code of points (`vgg-image`) may have any number of them.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import write_failure
from vidstyle.engines.bake import INPUT, Pixels, traced_baked
from vidstyle.engines.graph import input_names, traced
from vidstyle.models.checkpoint import StyleModel
from vidstyle.models.style_code import StyleCode


@dataclass(frozen=True)
class Graph:
    """What is written."""

    program: torch.export.ExportedProgram
    inputs: Sequence[str]
    """Names of its inputs, in order; its output is "styled"."""
    about: Mapping[str, str]
    """Written into the file: which model, which size."""


def for_codes(
    model: StyleModel, size: tuple[int, int], about: Mapping[str, str], *, strength: bool
) -> Callable[[], Graph]:
    """Makes the graph that takes frames and a code's tensors.

    Args:
        model: float32, in evaluation mode.
        size: width and height of the frames.
        strength: whether it takes the strength too; such a graph computes the frame's own code as well.
    """

    def make() -> Graph:
        code = model.encode_style(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
        program = traced(model, size[1], size[0], code, strength=strength, any_points=True)
        return Graph(program, input_names(code, strength=strength), about)

    return make


def for_pictures(
    model: StyleModel, code: StyleCode, pixels: Pixels, size: tuple[int, int] | None, about: Mapping[str, str]
) -> Callable[[], Graph]:
    """Makes the graph that takes a picture alone, in one style (`bake.traced_baked`)."""
    return lambda: Graph(traced_baked(model, code, pixels, size), [INPUT], about)


def _write_onnx(graph: Graph, path: Path) -> None:
    """One .onnx file with the weights in it."""
    for name in ("onnxscript", "onnx_ir"):
        logging.getLogger(name).setLevel(logging.ERROR)  # they tell of constants that stay as they are
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        made = torch.onnx.export(
            graph.program, input_names=list(graph.inputs), output_names=["styled"], dynamo=True, verbose=False
        )
    assert made is not None
    made.model.metadata_props.update(graph.about)
    made.save(path)


def _write_openvino(graph: Graph, path: Path) -> None:
    """Two files: .xml, and .bin beside it; float32."""
    import openvino

    made = openvino.convert_model(graph.program)
    nodes = [node for node in graph.program.graph.nodes if node.op == "placeholder"][-len(graph.inputs) :]
    for port, name, node in zip(made.inputs, graph.inputs, nodes, strict=True):
        shape = [n if isinstance(n, int) else -1 for n in node.meta["val"].shape]
        port.get_node().set_partial_shape(openvino.PartialShape(shape))
        port.get_tensor().set_names({name})
    made.validate_nodes_and_infer_types()
    made.outputs[0].get_tensor().set_names({"styled"})
    for key, value in graph.about.items():
        made.set_rt_info(value, ["vidstyle", key])
    openvino.save_model(made, path, compress_to_fp16=False)


@dataclass(frozen=True)
class Format:
    """A kind of file."""

    write: Callable[[Graph, Path], None]
    parts: tuple[str, ...]
    """Suffixes of all files that it consists of, the one that is named last."""
    needs: str
    """Module that has to be there. OpenVINO's engine goes before its package: it keeps that from reporting over the network."""


FORMATS = {
    "onnx": Format(_write_onnx, (".onnx",), "onnxscript"),
    "openvino": Format(_write_openvino, (".bin", ".xml"), "vidstyle.engines.openvino_engine"),
}


def export(make: Callable[[], Graph], path: Path, kind: str) -> list[Path]:
    """Write a graph; files appear under their names only when they are whole.

    Args:
        make: `for_codes` or `for_pictures`; called once what the format needs is known to be there.
        path: ends in the format's suffix.
        kind: a key of FORMATS.

    Returns:
        the files.

    Raises:
        UsageError: what the format needs is not installed.
        InputError: the disk is full, or the place cannot be written to.
    """
    chosen = FORMATS[kind]
    try:
        import_module(chosen.needs)
    except ImportError as error:
        raise UsageError(
            f"--format {kind} needs {error.name}; install it with: pip install 'vidstyle[{kind}]'."
        ) from error
    graph = make()
    files = [path.with_suffix(suffix) for suffix in chosen.parts]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".vidstyle-export-", dir=path.parent) as folder:
            partial = Path(folder) / path.name
            chosen.write(graph, partial)
            for file in files:
                partial.with_suffix(file.suffix).replace(file)
    except OSError as error:
        raise InputError(f"{path}: {write_failure(error, path)}.") from error
    except RuntimeError as error:
        if "iostream" not in str(error):
            raise
        # All that OpenVINO says of a write that failed.
        raise InputError(
            f"{path}: could not be written; see whether the disk of {path.absolute().parent} is full."
        ) from error
    return files
