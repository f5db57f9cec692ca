"""CompactNet: sizes, borders, strength, and that a frame does not depend on its batch."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vidstyle.models.attention import adain, blend, moment_code
from vidstyle.models.checkpoint import load_model
from vidstyle.models.compact import STRIDE, CompactConfig, CompactNet, ReplicateConv2d, Upsampling, pad, upsampled_conv
from vidstyle.models.quantization import edge_convolutions
from vidstyle.models.style_code import CosineCode, MomentCode
from vidstyle.styles.gallery import load

TINY = CompactConfig(widths=(8, 8, 16), key_widths=(8, 8), output_width=8)


@pytest.fixture(scope="module")
def net() -> CompactNet:
    with torch.random.fork_rng():
        torch.manual_seed(2)  # with 0 all that the last convolution sees is zero
        net = CompactNet(TINY)
        for p in net.parameters():  # lively weights: torch's start has some at zero and lets signals die out
            torch.nn.init.normal_(p, std=(0.7 / p[0].numel()) ** 0.5 if p.dim() > 1 else 0.1)
        return net.eval().requires_grad_(False)


@settings(max_examples=20)
@given(h=st.integers(16, 70), w=st.integers(16, 70), n=st.integers(1, 2))
def test_any_size_comes_back_as_it_was(net: CompactNet, h: int, w: int, n: int) -> None:
    code = net.encode_style(torch.rand(1, 3, 40, 33))
    out = net(torch.rand(n, 3, h, w), code)
    assert out.shape == (n, 3, h, w)
    assert torch.isfinite(out).all()


@given(h=st.integers(16, 60), w=st.integers(16, 60))
def test_padding_reaches_the_stride_and_keeps_the_frame_where_it_is(h: int, w: int) -> None:
    x = torch.rand(1, 3, h, w)
    p = pad(x)
    assert p.shape[2] % STRIDE == p.shape[3] % STRIDE == 0
    assert torch.equal(p[:, :, :h, :w], x)


@settings(max_examples=20)
@given(h=st.integers(1, 7), w=st.integers(1, 7), n=st.integers(1, 2), mode=st.sampled_from(["nearest", "bilinear"]))
def test_convolution_of_a_doubled_picture_without_doubling_it(h: int, w: int, n: int, mode: Upsampling) -> None:
    layer, x = ReplicateConv2d(5, 3).double(), torch.rand(n, 5, h, w, dtype=torch.float64)
    doubled = torch.nn.functional.interpolate(x, scale_factor=2.0, mode=mode)
    torch.testing.assert_close(upsampled_conv(x, layer, mode), layer(doubled), rtol=0, atol=1e-12)


def test_the_last_doubling_is_what_the_configuration_says(net: CompactNet) -> None:
    """Files that do not say it keep their nearest neighbours; the same weights with the other one paint what is written out."""
    old = CompactConfig.from_dict({k: v for k, v in TINY.to_dict().items() if k != "last_upsampling"})
    assert old.last_upsampling == "nearest"
    new = CompactNet(replace(old, last_upsampling="bilinear")).eval().requires_grad_(False)
    new.load_state_dict(net.state_dict())
    frame = torch.rand(1, 3, 32, 48)
    code = net.encode_style(torch.rand(1, 3, 40, 33))
    seen: list[torch.Tensor] = []
    new.half_out.register_forward_hook(lambda *given: seen.append(given[2]))
    picture = new(frame, code)
    last = code.scales[-1]
    assert isinstance(last, MomentCode)
    layer = torch.nn.functional.leaky_relu(adain(seen[0], last), 0.1)
    wanted = new.full(torch.nn.functional.interpolate(layer, scale_factor=2.0, mode="bilinear"))
    torch.testing.assert_close(picture, wanted, rtol=0, atol=1e-5)
    assert float((picture - net(frame, code)).abs().max()) > 1e-3


def test_a_code_has_the_announced_shapes_whatever_the_styles_size(net: CompactNet) -> None:
    for size in ((17, 90), (64, 64)):
        code = net.encode_style(torch.rand(1, 3, *size))
        matrices = [tuple(s.matrix.shape) for s in code.scales if isinstance(s, CosineCode)]
        assert matrices == [(1, 8, 17), (1, 8, 33)]
        layers = [tuple(s.mean.shape) for s in code.scales if isinstance(s, MomentCode)]
        assert layers == [(1, c) for c in (6, 16, 8, 8, 8, 8, 8, 8, 8)]


def test_strength_one_is_the_style_zero_is_the_frames_own_code(net: CompactNet) -> None:
    torch.manual_seed(1)
    frames, style = torch.rand(2, 3, 32, 40), torch.rand(1, 3, 50, 30)
    code = net.encode_style(style)
    torch.testing.assert_close(net(frames, code, 1.0), net(frames, code), rtol=0, atol=1e-5)
    own = net(frames, net.encode_style(frames))
    torch.testing.assert_close(net(frames, code, 0.0), own, rtol=0, atol=1e-5)
    assert float((net(frames, code) - own).abs().max()) > 1e-4


def test_a_frame_does_not_depend_on_its_neighbours_in_the_batch(net: CompactNet) -> None:
    torch.manual_seed(2)
    frames, code = torch.rand(4, 3, 24, 32), net.encode_style(torch.rand(1, 3, 32, 32))
    together = net(frames, code)
    alone = torch.cat([net(f[None], code) for f in frames])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def test_a_style_changes_the_result_and_a_blend_lies_between(net: CompactNet) -> None:
    torch.manual_seed(3)
    frame = torch.rand(1, 3, 32, 32)
    a, b = net.encode_style(torch.rand(1, 3, 32, 32)), net.encode_style(torch.rand(1, 3, 32, 32) * 0.3)
    ends = [net(frame, blend([a, b], w)) for w in ([1.0, 0.0], [0.0, 1.0])]
    torch.testing.assert_close(ends[0], net(frame, a), rtol=0, atol=1e-5)
    torch.testing.assert_close(ends[1], net(frame, b), rtol=0, atol=1e-5)
    middle = net(frame, blend([a, b], [0.5, 0.5]))
    span = float((ends[0] - ends[1]).abs().mean())
    assert span > 1e-3
    assert max(float((middle - e).abs().mean()) for e in ends) < span


def test_black_and_white_frames_are_no_trouble(net: CompactNet) -> None:
    code = net.encode_style(torch.zeros(1, 3, 32, 32))
    for value in (0.0, 1.0):
        assert torch.isfinite(net(torch.full((1, 3, 32, 32), value), code, 0.5)).all()


def test_config_survives_json(net: CompactNet) -> None:
    import json

    assert CompactConfig.from_dict(json.loads(json.dumps(TINY.to_dict()))) == TINY


def test_a_picture_in_its_own_style_is_the_decoders_own_painting(net: CompactNet) -> None:
    """Layers that already have the style's moments stay as they are: with and without them it is the same picture."""
    picture = torch.rand(1, 3, 40, 48)
    code = net.encode_style(picture)
    plain = CompactNet(replace(TINY, by_example=False)).eval()
    plain.load_state_dict(net.state_dict())
    alone = plain.encode_style(picture)
    assert (len(code), len(alone)) == (3 + 8, 3)
    torch.testing.assert_close(net(picture, code), plain(picture, alone), rtol=0, atol=1e-4)


def test_the_decoders_layers_take_the_styles_moments(net: CompactNet) -> None:
    """The last layer before the picture has the mean and deviation that it has when the style is painted."""
    frame, code = torch.rand(1, 3, 32, 40), net.encode_style(torch.rand(1, 3, 48, 32) * 0.4)
    last = code.scales[-1]
    assert isinstance(last, MomentCode)
    seen: list[MomentCode] = []
    handle = net.half_out.register_forward_hook(lambda _, __, out: seen.append(moment_code(adain(out, last))))
    net(frame, code)
    handle.remove()
    for got, wanted in zip(seen[0].moments(), last.moments(), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-3, atol=1e-4)


def test_no_channel_of_the_shipped_network_is_dead() -> None:
    """Plain ReLUs once left 5 of the 128 channels at 1/8 alive, and no number of the validation told."""
    net = load_model("compact")
    pictures = [torch.from_numpy(load(name)[:192, :192]).permute(2, 0, 1) / 255 for name in ("mosaic", "sunset-oil")]
    frames = torch.stack(pictures)
    deviations: dict[str, torch.Tensor] = {}
    for name, layer in edge_convolutions(net).items():
        layer.register_forward_pre_hook(lambda _, x, name=name: deviations.update({name: x[0].std((0, 2, 3))}))
    with torch.no_grad():
        net(frames, net.encode_style(frames.flip(0)))
    assert len(deviations) == len(edge_convolutions(net)) - 1  # the last one's weights are used in another form
    assert {name for name, channels in deviations.items() if float(channels.min()) < 1e-3} == set()
