"""vidstyle: any video in the style of any picture, without flicker.

    import vidstyle

    report = vidstyle.stylize_video("clip.mp4", "styled.mp4", "stained-glass")

    stylizer = vidstyle.Stylizer()
    styled = stylizer.stylize(frames, stylizer.encode_style("mosaic"))  # arrays (N, H, W, 3) uint8

Names are imported when first used, so that `import vidstyle` itself costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vidstyle._version import __version__

if TYPE_CHECKING:
    from vidstyle.core.errors import InputError, UsageError, VidstyleError
    from vidstyle.models.checkpoint import load_model, load_style, save_style
    from vidstyle.models.style_code import StyleCode
    from vidstyle.pipeline.api import stylize_image, stylize_video
    from vidstyle.pipeline.plan.run_options import RunOptions, RunReport
    from vidstyle.pipeline.stylizer import Stylizer

__all__ = [
    "InputError",
    "RunOptions",
    "RunReport",
    "StyleCode",
    "Stylizer",
    "UsageError",
    "VidstyleError",
    "__version__",
    "load_model",
    "load_style",
    "save_style",
    "stylize_image",
    "stylize_video",
]

_HOMES = {
    "InputError": "vidstyle.core.errors",
    "RunOptions": "vidstyle.pipeline.plan.run_options",
    "RunReport": "vidstyle.pipeline.plan.run_options",
    "StyleCode": "vidstyle.models.style_code",
    "Stylizer": "vidstyle.pipeline.stylizer",
    "UsageError": "vidstyle.core.errors",
    "VidstyleError": "vidstyle.core.errors",
    "load_model": "vidstyle.models.checkpoint",
    "load_style": "vidstyle.models.checkpoint",
    "save_style": "vidstyle.models.checkpoint",
    "stylize_image": "vidstyle.pipeline.api",
    "stylize_video": "vidstyle.pipeline.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'vidstyle' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
