"""What a machine certainly lacks, told in microseconds; what it has only torch can say, and torch takes a second to import."""

from __future__ import annotations

import sys
from pathlib import Path

_GPU_NODES = (
    *("nvidiactl", "nvidia0"),  # NVIDIA's driver
    *("nvhost-gpu", "nvgpu", "nvmap"),  # Tegra (Jetson)
    "dxg",  # Windows' GPU in WSL
    "kfd",  # AMD's, which torch calls cuda too
)
"""Files of /dev, one of which a GPU's driver makes on Linux."""


def absent(device: str, *, nodes: Path = Path("/dev")) -> str | None:
    """Why there can be no such device ("cuda", "cuda:N", "mps", "cpu"); None where there may be one."""
    kind = device.partition(":")[0]
    if kind == "mps" and sys.platform != "darwin":
        return "no Apple GPU (MPS)"
    if kind == "cuda" and sys.platform == "darwin":
        return "no CUDA device"
    if kind == "cuda" and sys.platform == "linux" and not any((nodes / name).exists() for name in _GPU_NODES):
        return "no CUDA device"
    return None


def has_vnni(cpu_info: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor multiplies and adds eight-bit numbers in one AVX-512 instruction."""
    try:
        return "avx512_vnni" in cpu_info.read_text().split()
    except OSError:  # no Linux
        import torch

        return bool(torch.cpu._is_vnni_supported())
