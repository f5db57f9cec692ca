"""The loss network that comes with the package: a normalised VGG-16 up to relu4_1 (weights/VGG16_ATTRIBUTION.md)."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

import torch
from safetensors.torch import load_file

from vidstyle.models.vgg import VGG

DEPTH = 4
"""It ends with relu4_1."""


def _loss_network_path() -> Path:
    """The file that ships."""
    return Path(str(resources.files("vidstyle") / "weights" / "vgg16_relu4_1.safetensors"))


def loss_network() -> VGG:
    """The shipped network: float32, frozen, channels-last, on the processor. `network(x, upto)` takes (B, 3, H, W) float in
    [0, 1] and gives relu1_1 ... relu{upto}_1, upto at most DEPTH."""
    net = VGG("vgg16", DEPTH)
    net.load_state_dict({name: tensor.float() for name, tensor in load_file(_loss_network_path()).items()})
    return net.to(memory_format=torch.channels_last)


def loss_network_digest() -> str:
    """SHA-256 of the shipped file, 64 hex digits."""
    return hashlib.sha256(_loss_network_path().read_bytes()).hexdigest()
