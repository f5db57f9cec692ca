"""VGGVideo and VGGImage: sizes, strength, blends, batches, files. Their numbers are in test_upstream.py."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vidstyle.core.errors import UsageError
from vidstyle.models import checkpoint
from vidstyle.models.attention import blend
from vidstyle.models.paper import VGGImage, VGGStyleConfig, VGGVideo, fit, stacked_keys
from vidstyle.models.style_code import CosineCode, SoftmaxCode, StyleCode
from vidstyle.models.vgg import VGG

Net = VGGVideo | VGGImage


@pytest.fixture(scope="module", params=[VGGVideo, VGGImage])
def net(request: pytest.FixtureRequest) -> Net:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made: Net = request.param(VGGStyleConfig(max_points=300))
        for p in made.parameters():  # lively weights, or the signal dies out in so many layers
            torch.nn.init.normal_(p, std=(1.4 / p[0].numel()) ** 0.5 if p.dim() > 1 else 0.1)
    return made.eval().requires_grad_(False)


@settings(max_examples=8)
@given(h=st.integers(16, 70), w=st.integers(16, 70), n=st.integers(1, 2))
def test_any_size_comes_back_as_it_was(net: Net, h: int, w: int, n: int) -> None:
    code = net.encode_style(torch.rand(1, 3, w, h))
    out = net(torch.rand(n, 3, h, w), code)
    assert out.shape == (n, 3, h, w)
    assert torch.isfinite(out).all()


@given(h=st.integers(16, 60), w=st.integers(16, 60), stride=st.sampled_from([1, 4, 16]))
def test_a_fitted_frame_keeps_its_pixels(h: int, w: int, stride: int) -> None:
    x = torch.rand(1, 3, h, w)
    y = fit(x, stride, 32)
    assert torch.equal(y[:, :, :h, :w], x)
    for side, new in ((h, y.shape[2]), (w, y.shape[3])):
        assert new % stride == 0
        assert new == max(32, -(-side // stride) * stride)


def test_strength_one_is_the_style_zero_is_the_frames_own_code(net: Net) -> None:
    torch.manual_seed(1)
    frames, style = torch.rand(2, 3, 32, 48), torch.rand(1, 3, 50, 40)
    code = net.encode_style(style)
    plain = net(frames, code)
    torch.testing.assert_close(net(frames, code, 1.0), plain, rtol=0, atol=2e-4)
    own = net(frames, net.encode_style(frames))
    torch.testing.assert_close(net(frames, code, 0.0), own, rtol=0, atol=2e-4)
    assert float((plain - own).abs().max()) > 1e-2
    each = net(frames, code, torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(each, torch.cat([plain[:1], own[1:]]), rtol=0, atol=2e-4)


def test_a_frame_does_not_depend_on_its_neighbours_in_the_batch(net: Net) -> None:
    torch.manual_seed(2)
    frames, code = torch.rand(3, 3, 32, 40), net.encode_style(torch.rand(1, 3, 40, 32))
    together = net(frames, code)
    alone = torch.cat([net(f[None], code) for f in frames])
    torch.testing.assert_close(together, alone, rtol=0, atol=2e-4)


def test_a_blend_with_itself_is_itself_and_with_another_is_neither(net: Net) -> None:
    torch.manual_seed(3)
    frame = torch.rand(1, 3, 32, 32)
    a, b = (net.encode_style(torch.rand(1, 3, s, 40)) for s in (40, 72))
    alone, other = net(frame, a), net(frame, b)
    torch.testing.assert_close(net(frame, blend([a, a], [0.5, 0.5])), alone, rtol=0, atol=2e-4)
    mixed = net(frame, blend([a, b], [0.5, 0.5]))
    assert all(float((mixed - x).abs().max()) > 1e-3 for x in (alone, other))


def test_codes_have_the_announced_shapes() -> None:
    big, small = torch.rand(1, 3, 96, 80), torch.rand(1, 3, 17, 90)
    video, image = VGGVideo(), VGGImage(VGGStyleConfig(max_points=200))
    for picture in (big, small):
        (scale,) = video.encode_style(picture).scales
        assert isinstance(scale, CosineCode)
        assert scale.matrix.shape == (1, 448, 513)
    points = []
    for scale, key, channels in zip(image.encode_style(big).scales, (448, 960, 1472), (256, 512, 512), strict=True):
        assert isinstance(scale, SoftmaxCode)
        assert scale.keys.shape[2] == key
        assert scale.values.shape[2] == channels
        points.append(scale.keys.shape[1])
    assert points == [200, 12 * 10, 6 * 5]


def test_keys_of_a_layer_are_those_below_it_too() -> None:
    features = VGG("vgg16", depth=3)(torch.rand(2, 3, 32, 40))
    k = stacked_keys(features, 3)
    assert k.shape == (2, 448, 8, 10)
    torch.testing.assert_close(k.mean((2, 3)), torch.zeros(2, 448), rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_files(net: Net, dtype: torch.dtype, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    checkpoint.save_model(net, path, dtype=dtype)
    again = checkpoint.load_model(path)
    assert again.architecture == net.architecture
    for a, b in zip(net.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(a.to(dtype).float(), b)
    code = net.encode_style(torch.rand(1, 3, 40, 40))
    checkpoint.save_style(code, tmp_path / "code.safetensors")
    back = checkpoint.load_style(tmp_path / "code.safetensors")
    frame = torch.rand(1, 3, 32, 32)
    assert torch.equal(net(frame, back), net(frame, code))


def test_the_encoder_is_frozen_and_takes_a_vgg_of_its_own_layout(net: Net) -> None:
    fresh = type(net)(VGGStyleConfig(layout="vgg16"))
    trained = {n for n, p in fresh.named_parameters() if p.requires_grad}
    assert trained
    assert not any(n.startswith("encoder.") for n in trained)
    vgg = VGG("vgg16")
    fresh.load_encoder(vgg)
    given = vgg.state_dict()
    assert all(torch.equal(v, given[k]) for k, v in fresh.encoder.state_dict().items())
    with pytest.raises(UsageError, match=r"vgg16.*vgg19"):
        fresh.load_encoder(VGG("vgg19"))


def test_bad_configurations_are_refused() -> None:
    for config in ({"layout": "vgg13"}, {"max_points": 0}, {"std_eps": -1.0}, {"depth": 3}):
        with pytest.raises(UsageError, match="vgg-video"):
            checkpoint.build("vgg-video", config)
    with pytest.raises(UsageError, match="compact, vgg-video, vgg-image"):
        checkpoint.build("vgg-film", {})


def test_half_precision_leaves_attention_alone(net: Net) -> None:
    torch.manual_seed(4)
    frames, code = torch.rand(1, 3, 32, 32), net.encode_style(torch.rand(1, 3, 40, 40))
    plain = net(frames, code)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = net(frames, code)
    assert float((half.float() - plain).abs().mean()) < 0.05 * float(plain.abs().mean())


def test_flat_pictures_give_finite_results(net: Net) -> None:
    """A black frame, a black style: zero variances everywhere."""
    black, noise = torch.zeros(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    for frame, style in ((black, noise), (noise, black), (black, black)):
        for strength in (None, 0.5):
            assert torch.isfinite(net(frame, net.encode_style(style), strength)).all()


def test_a_code_of_another_network_is_a_mistake_that_is_seen() -> None:
    code = StyleCode(VGGVideo().encode_style(torch.rand(1, 3, 32, 32)).scales * 2)
    with pytest.raises((ValueError, RuntimeError)):
        VGGImage()(torch.rand(1, 3, 32, 32), code)
