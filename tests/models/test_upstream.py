"""The importer: upstream's numbers from upstream's files, and a sentence for every wrong file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from vidstyle.core.errors import InputError, UsageError
from vidstyle.models.checkpoint import load_model
from vidstyle.models.model_files import read_metadata
from vidstyle.models.pth import VGG_NORMALISED, read_pth
from vidstyle.models.style_code import SoftmaxCode
from vidstyle.models.upstream import ReleaseFiles, import_release
from vidstyle.models.vgg import VGG, load_vgg

if TYPE_CHECKING:
    from tests.models.conftest import Release


def files(options: list[str]) -> ReleaseFiles:
    return ReleaseFiles(**{o.removeprefix("--"): Path(p) for o, p in zip(options[::2], options[1::2], strict=True)})


@pytest.fixture(params=["video", "image"])
def release(request: pytest.FixtureRequest) -> Release:
    found: Release = request.getfixturevalue(f"{request.param}_release")
    return found


def pictures(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(3))


def test_numbers_are_those_of_the_naive_formulas(release: Release, tmp_path: Path) -> None:
    model = import_release(files(release.write(tmp_path)))
    assert model.architecture == ("vgg-image" if release.adaattn3 else "vgg-video")
    content, style = pictures(2, 3, 32, 48), pictures(1, 3, 48, 64)
    expected = release.styled(content, style.expand(2, -1, -1, -1))
    scale = float(expected.abs().max())
    with torch.no_grad():
        wide = model.double()(content.double(), model.encode_style(style.double()))
        got = model.float()(content, model.encode_style(style))
    # Two roundings are part of the design: conv1_1 is folded into float32, and cosine weights add 1e-5 to a mean over the
    # points where upstream adds it to a sum.
    assert float((wide - expected).abs().max()) < 1e-5 * scale
    assert float((got.double() - expected).abs().max()) < 1e-4 * scale


def test_points_beyond_the_limit_are_left_out_as_upstream_does(image_release: Release, tmp_path: Path) -> None:
    model = import_release(files(image_release.write(tmp_path)))
    assert model.config.max_points == 4096
    model.config = replace(model.config, max_points=30)
    content, style = pictures(1, 3, 32, 32), pictures(1, 3, 48, 64)
    with torch.no_grad():
        code = model.encode_style(style)
        assert [s.keys.shape[1] for s in code.scales if isinstance(s, SoftmaxCode)] == [30, 30, 3 * 4]
        expected = image_release.styled(content, style, limit=30)
        error = (model(content, code).double() - expected).abs().max()
    assert float(error) < 1e-4 * float(expected.abs().max())


def test_the_vgg_file_also_trains(video_release: Release, tmp_path: Path) -> None:
    video_release.write(tmp_path)
    net = load_vgg(tmp_path / "vgg.pth")
    assert net.layout == "vgg19"
    x = pictures(1, 3, 33, 40)
    from tests.models.conftest import features

    expected = features({k: v.double() for k, v in video_release.vgg.items()}, x.double())
    for got, wanted in zip(net(x), expected, strict=True):
        torch.testing.assert_close(got.double(), wanted, rtol=0, atol=2e-5 * float(wanted.max()))


def test_old_files_and_parallel_names(video_release: Release, tmp_path: Path) -> None:
    old = video_release.write(tmp_path, zipped=False)
    expected = import_release(files(old)).state_dict()
    decoder = {f"module.{k}": v for k, v in video_release.decoder.items()}
    torch.save(decoder, tmp_path / "decoder.pth")
    got = import_release(files(old)).state_dict()
    assert all(torch.equal(expected[k], v) for k, v in got.items())


def test_every_tensor_of_the_files_arrives_once(release: Release, tmp_path: Path) -> None:
    model = import_release(files(release.write(tmp_path)))
    sums = sorted(float(v.double().abs().sum()) for k, v in model.state_dict().items() if not k.startswith("encoder."))
    parts = (release.transformer, release.decoder, release.adaattn3 or {})
    assert sums == sorted(float(v.double().abs().sum()) for part in parts for v in part.values())


class Evil:
    def __reduce__(self) -> Any:
        return print, ("executed",)


def test_wrong_files_are_one_sentence(
    video_release: Release, image_release: Release, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, release in (("v", video_release), ("i", image_release)):
        (tmp_path / name).mkdir()
        release.write(tmp_path / name)
    v, i = tmp_path / "v", tmp_path / "i"
    text, evil, numbers, empty = (tmp_path / f"{n}.pth" for n in ("text", "evil", "numbers", "empty"))
    text.write_text("not weights")
    empty.write_bytes(b"")
    torch.save({"f.weight": Evil()}, evil)
    torch.save({"f.weight": 3}, numbers)
    narrow = tmp_path / "narrow.pth"
    torch.save(
        {k: torch.zeros(512, 512, 1, 1) if "4_1.f.weight" in k else t for k, t in image_release.transformer.items()},
        narrow,
    )
    more = tmp_path / "more.pth"
    torch.save({**video_release.decoder, "decoder.27.weight": torch.zeros(1)}, more)
    video, image = files_of(v), files_of(i, "adaattn3")
    cases: list[tuple[dict[str, Path], type[Exception], str]] = [
        *((video | {"transformer": p}, InputError, f"{p.name}:") for p in (text, evil, numbers, empty, tmp_path / "gone.pth")),
        (video | {"transformer": tmp_path}, InputError, "cannot be read"),
        (video | {"transformer": v / "decoder.pth"}, InputError, "latest_net_transformer.pth"),
        (video | {"decoder": i / "decoder.pth"}, InputError, "has no decoder.1.weight"),
        (video | {"decoder": more}, InputError, r"has decoder\.27\.weight"),
        (video | {"vgg": v / "decoder.pth"}, InputError, "not vgg_normalised.pth"),
        (video | {"adaattn3": i / "adaattn3.pth"}, UsageError, "leave it out"),
        ({k: p for k, p in image.items() if k != "adaattn3"}, UsageError, "--adaattn3"),
        (image | {"adaattn3": v / "transformer.pth"} | {"transformer": narrow}, InputError, r"512.*--shallow_layer"),
        (image | {"adaattn3": i / "decoder.pth"}, InputError, "has no f.weight"),
    ]  # fmt: skip
    for options, kind, words in cases:
        with pytest.raises(kind, match=words) as caught:
            import_release(ReleaseFiles(**options))
        assert "\n" not in str(caught.value)
    assert "executed" not in capsys.readouterr().out


def files_of(folder: Path, *more: str) -> dict[str, Path]:
    return {n: folder / f"{n}.pth" for n in ("vgg", "transformer", "decoder", *more)}


def test_the_command_writes_a_model_that_says_where_it_is_from(
    video_release: Release, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from vidstyle.cli import main

    options = ["import-upstream", *video_release.write(tmp_path), "-o", str(tmp_path / "video.safetensors")]
    with pytest.raises(SystemExit) as done:
        main(options)
    assert not done.value.code
    about = read_metadata(tmp_path / "video.safetensors")
    assert about["architecture"] == "vgg-video"
    assert about["config"]["std_eps"] == 0
    assert set(about["imported"]) == {"vgg", "transformer", "decoder"}
    assert len(about["imported"]["vgg"]["sha256"]) == 64
    model = load_model(tmp_path / "video.safetensors")
    direct = import_release(files(options[1:-2]))
    assert all(
        torch.equal(a, b) for a, b in zip(model.state_dict().values(), direct.state_dict().values(), strict=True)
    )
    for wrong, code in (
        (options, 2),
        ([*options[:-1], "x.pth"], 2),
        ([*options[:2], "gone.pth", *options[3:-1], "y.safetensors"], 1),
    ):
        with pytest.raises(SystemExit) as refused:
            main(wrong)
        assert refused.value.code == code
    assert "Traceback" not in capsys.readouterr().err


def test_the_table_names_each_convolution_up_to_relu5_1() -> None:
    net = VGG("vgg19")
    assert {f"{n}.weight" for n in VGG_NORMALISED} == {k for k in net.state_dict() if k.endswith("weight")}


def test_weights_by_other_names_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    torch.save({"module.a": torch.ones(2), "b": torch.zeros(1)}, path)
    assert sorted(read_pth(path)) == ["a", "b"]
