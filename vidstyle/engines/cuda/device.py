"""`device.Device` on a CUDA GPU, by torch. Not measured and not run by us yet: no GPU was at hand."""

from __future__ import annotations

import torch
from torch import Tensor

from vidstyle.engines.backoff import CACHE
from vidstyle.engines.cuda.protocol import Shape, Work


class CudaDevice:
    """A GPU; see `device.Device`.

    Products and convolutions in float32 are computed in float32 from then on, in the whole process: torch's default for
    convolutions is TF32, ten bits of mantissa, which attention's differences of moments do not survive. What algorithm cuDNN
    takes stays its rule of thumb, not the winner of a race: bytes must not depend on how busy the GPU was.

    Args:
        name: "cuda" or "cuda:N".
    """

    def __init__(self, name: str) -> None:
        self.where = torch.device("cuda", torch.device(name).index or 0)
        torch.backends.cudnn.conv.fp32_precision = "ieee"  # type: ignore[attr-defined]
        torch.backends.cuda.matmul.fp32_precision = "ieee"
        torch.backends.cudnn.benchmark = False

    # Buffers belong to torch's default stream, though others use them: nobody else gets their memory while they live, and
    # whoever lets them go has waited for all streams before.
    def buffer(self, shape: Shape) -> Tensor:
        return torch.empty(shape, dtype=torch.uint8, device=self.where)

    def pinned(self, shape: Shape) -> Tensor:
        return torch.empty(shape, dtype=torch.uint8, pin_memory=True)

    def stream(self) -> torch.cuda.Stream:
        return torch.cuda.Stream(self.where)

    def copy(self, target: Tensor, source: Tensor, stream: torch.cuda.Stream) -> None:
        with torch.cuda.stream(stream):
            target.copy_(source, non_blocking=True)

    def launch(self, stream: torch.cuda.Stream, work: Work) -> None:
        with torch.cuda.stream(stream):
            work()

    def capture(self, stream: torch.cuda.Stream, work: Work) -> Work:
        graph = torch.cuda.CUDAGraph()
        # The process captures one graph at a time. Other threads (other GPUs, the encoder) may go on with what they do.
        with (
            CACHE,
            torch.cuda.device(self.where),
            torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"),
        ):
            work()
        return graph.replay

    def record(self, stream: torch.cuda.Stream) -> torch.cuda.Event:
        # `blocking`: who waits sleeps, and leaves the core to the decoder and the encoder.
        event = torch.cuda.Event(blocking=True)
        event.record(stream)
        return event

    def wait(self, stream: torch.cuda.Stream, event: torch.cuda.Event) -> None:
        stream.wait_event(event)

    def finish(self, event: torch.cuda.Event) -> None:
        event.synchronize()

    def drain(self) -> None:
        torch.cuda.synchronize(self.where)
