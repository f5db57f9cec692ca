"""Sound encoded anew, for containers that cannot hold it as it is."""

from __future__ import annotations

from typing import Any

import av
import av.container
import av.error

_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


class SoundEncoder:
    """Decodes packets of `source` and encodes them with `encoder` ("aac" or "libopus") into a new stream of `output`.

    The first sample keeps its time; sampling rate is kept where the encoder has it, else 48 kHz; mono, stereo and 5.1
    are kept, other layouts become stereo. Damaged packets are left out.
    """

    def __init__(self, source: av.AudioStream, output: av.container.OutputContainer, encoder: str) -> None:
        self._source = source
        known = av.Codec(encoder, "w").audio_rates or []
        rate = source.rate if source.rate in known else 48000
        layout = _LAYOUTS.get(source.channels, "stereo")
        stream = output.add_stream(encoder, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = 96_000 * max(1, {"mono": 1, "stereo": 2, "5.1": 4}[layout])
        self.stream = stream
        stream.codec_context.open()
        self._resampler = av.AudioResampler(
            format=stream.codec_context.format, layout=layout, rate=rate, frame_size=stream.codec_context.frame_size
        )

    def encode(self, packet: av.Packet[Any]) -> list[av.Packet[Any]]:
        """Packets that are ready once `packet` has been decoded."""
        try:
            frames = self._source.decode(packet)
        except av.error.FFmpegError:
            return []
        return self._encode(frames)

    def flush(self) -> list[av.Packet[Any]]:
        """The last packets."""
        return [*self._encode(self._source.decode(None)), *self._encode([None]), *self.stream.encode(None)]

    def _encode(self, frames: list[Any]) -> list[av.Packet[Any]]:
        return [p for frame in frames for piece in self._resampler.resample(frame) for p in self.stream.encode(piece)]
