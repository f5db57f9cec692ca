"""What is installed and under what licences, against packages made for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidstyle.core.dependencies import Dependency, bundled_in, dependencies
from vidstyle.core.errors import InputError


def install(site: Path, name: str, *lines: str, files: tuple[str, ...] = ()) -> None:
    folder = site / f"{name}-1.5.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("\n".join([f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.5", *lines, ""]))
    (folder / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def test_dependencies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    install(
        tmp_path,
        "paint_root",
        "Requires-Dist: Paint.One",
        "Requires-Dist: paint-two[fast]; extra == 'more'",
        "Requires-Dist: paint-absent",
        "Requires-Dist: paint-other; python_version < '3'",
        "Provides-Extra: more",
    )
    video = (
        "av.libs/libx264-d6533a8d.so.165",
        "av/.dylibs/libx265.216.dylib",
        "av.libs/avcodec-62-ab12.dll",
        "x264.py",
    )
    install(tmp_path, "paint_one", "License-Expression: MIT", "Requires-Dist: paint-root", files=video)
    install(
        tmp_path,
        "paint_two",
        "License: Long words\n        and more",
        "Classifier: License :: OSI Approved :: BSD License",
        "Requires-Dist: paint-three; extra == 'fast'",
        "Requires-Dist: paint-other; extra == 'slow'",
    )
    install(tmp_path, "paint_three", "License: BSD")
    install(tmp_path, "paint_other")
    bundled = (("avcodec", "LGPL-2.1-or-later"), ("x264", "GPL-2.0-or-later"), ("x265", "GPL-2.0-or-later"))
    assert dependencies("paint-root") == [
        Dependency("paint_one", "1.5", "MIT", (), bundled),
        Dependency("paint_three", "1.5", "BSD", ("more",), ()),
        Dependency("paint_two", "1.5", "BSD License", ("more",), ()),
    ]
    assert dependencies("paint_two") == []  # it declares no extra


def test_a_library_is_known_by_its_whole_name() -> None:
    assert bundled_in(["a/libgmpxx.so.4", "a/libx264/readme.txt", "a/libnettle_extra.so", "libavcodecs.so"]) == {}
    assert list(bundled_in(["a/libgmp-8c6c.so.10.5.0", "libavutil.so"])) == ["gmp", "avutil"]


def test_what_is_not_installed_is_said() -> None:
    with pytest.raises(InputError, match="paint-nowhere: is not installed"):
        dependencies("paint-nowhere")
