"""The functions of the package as programs call them: errors speak of arguments, not of the command line's options."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from vidstyle.core.errors import SettingError, VidstyleError, in_api_words
from vidstyle.pipeline import images, run

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _for_programs(function: Callable[_P, _R]) -> Callable[_P, _R]:
    @wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except SettingError:
            raise
        except VidstyleError as error:
            error.args = (in_api_words(str(error)), *error.args[1:])
            raise

    return call


stylize_video = _for_programs(run.stylize_video)
stylize_image = _for_programs(images.stylize_image)
