"""A model as a file for other programs: ONNX, or OpenVINO's own format. Frames and a code's tensors in, frames out.

The graph is for frames of one size, one a call; a code of points (`vgg-image`) may have any number of them.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import write_failure
from vidstyle.engines.graph import input_names, traced
from vidstyle.models.checkpoint import StyleModel


@dataclass(frozen=True)
class Wanted:
    """What a graph is for."""

    width: int
    height: int
    strength: bool
    """Whether it takes the strength too; such a graph computes the frame's own code as well."""
    about: Mapping[str, str]
    """Written into the file: which model, which size."""


def _write_onnx(program: torch.export.ExportedProgram, names: list[str], wanted: Wanted, path: Path) -> None:
    """One .onnx file with the weights in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        made = torch.onnx.export(program, input_names=names, output_names=["styled"], dynamo=True, verbose=False)
    assert made is not None
    made.model.metadata_props.update(wanted.about)
    made.save(path)


def _write_openvino(program: torch.export.ExportedProgram, names: list[str], wanted: Wanted, path: Path) -> None:
    """Two files: .xml, and .bin beside it; float32."""
    import openvino

    graph = openvino.convert_model(program)
    shapes = [node.meta["val"].shape for node in program.graph.nodes if node.op == "placeholder"][-len(names) :]
    for port, name, shape in zip(graph.inputs, names, shapes, strict=True):
        port.get_node().set_partial_shape(openvino.PartialShape([n if isinstance(n, int) else -1 for n in shape]))
        port.get_tensor().set_names({name})
    graph.validate_nodes_and_infer_types()
    graph.outputs[0].get_tensor().set_names({"styled"})
    for key, value in wanted.about.items():
        graph.set_rt_info(value, ["vidstyle", key])
    openvino.save_model(graph, path, compress_to_fp16=False)


@dataclass(frozen=True)
class Format:
    """A kind of file."""

    write: Callable[[torch.export.ExportedProgram, list[str], Wanted, Path], None]
    parts: tuple[str, ...]
    """Suffixes of all files that it consists of, the one that is named last."""
    needs: str
    """Module that has to be there. OpenVINO's engine goes before its package: it keeps that from reporting over the network."""


FORMATS = {
    "onnx": Format(_write_onnx, (".onnx",), "onnxscript"),
    "openvino": Format(_write_openvino, (".bin", ".xml"), "vidstyle.engines.openvino_engine"),
}


def export(model: StyleModel, wanted: Wanted, path: Path, kind: str) -> list[Path]:
    """Write a model; files appear under their names only when they are whole.

    Args:
        model: float32, in evaluation mode.
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
    code = model.encode_style(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    program = traced(model, wanted.height, wanted.width, code, strength=wanted.strength, any_points=True)
    files = [path.with_suffix(suffix) for suffix in chosen.parts]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".vidstyle-export-", dir=path.parent) as folder:
            partial = Path(folder) / path.name
            chosen.write(program, input_names(code, strength=wanted.strength), wanted, partial)
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
