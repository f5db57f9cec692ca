"""Which GPUs a run may share its segments among."""

from __future__ import annotations


def spread(device: str) -> list[str]:
    """The devices that do the work of `device`: for "cuda" every visible GPU of the first one's kind (others would give other
    bytes, and which segments they get is chance), each by its number; for anything else the device alone. The first is always
    `device` itself."""
    if device != "cuda":
        return [device]
    import torch

    first = kind("cuda:0")
    return [device, *(f"cuda:{i}" for i in range(1, torch.cuda.device_count()) if kind(f"cuda:{i}") == first)]


def kind(device: str) -> str | None:
    """What bytes depend on of a GPU: its name and compute capability; None for other devices."""
    if device.partition(":")[0] != "cuda":
        return None
    import torch

    index = torch.device(device).index or 0
    major, minor = torch.cuda.get_device_capability(index)
    return f"{torch.cuda.get_device_name(index)} ({major}.{minor})"
