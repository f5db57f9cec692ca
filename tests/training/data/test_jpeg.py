"""JPEG without a file, against OpenCV's files."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from vidstyle.training.data.jpeg import jpeg


@pytest.mark.parametrize("quality", [5, 30, 50, 95])
def test_what_a_file_leaves(quality: int) -> None:
    small = np.random.default_rng(0).integers(0, 255, (12, 15, 3), dtype=np.uint8)
    image = cv2.resize(small, (150, 121), interpolation=cv2.INTER_CUBIC)  # sides that are no multiples of a block
    done, file = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    decoded = cv2.imdecode(file, cv2.IMREAD_COLOR)
    assert decoded is not None
    expected = decoded[..., ::-1].astype(int)
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    result = (jpeg(x, np.array([quality]))[0].permute(1, 2, 0) * 255).round().int().numpy()
    away = np.abs(result - expected)[:112, :144].mean()  # libjpeg fills up the last blocks otherwise
    assert away < 1.0
    assert away < 0.5 * np.abs(expected - image).mean() or quality == 95
