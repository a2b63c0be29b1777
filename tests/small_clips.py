"""Clips of a few small frames, and a tone, for several test modules."""

from pathlib import Path

import av
import numpy as np
from PIL import Image

H, W = 48, 64


def clip(count: int = 11, height: int = H, width: int = W) -> list[np.ndarray]:
    """Frame t: red grows with t, a bright square wanders over a dark ground."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    for t, frame in enumerate(frames):
        left = 2 * t % max(1, width - 20)
        frame[..., 0] = 10 * t % 250
        frame[10:30, left : left + 20] = (10 * t % 250, 200, 90)
    return list(frames)


def write_folder(folder: Path, frames: list[np.ndarray], name: str = "f{}.png") -> Path:
    folder.mkdir()
    for t, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / name.format(t))
    return folder


def tone(path: Path, seconds: float) -> None:
    """A sound file: 440 Hz, silent in its second half."""
    rate = 44_100
    time = np.arange(int(seconds * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * 440 * time) * (time < seconds / 2)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        for k in range(0, len(wave), 1024):
            samples = np.int16(32767 * wave[None, k : k + 1024])
            frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            frame.rate, frame.pts = rate, k
            container.mux(stream.encode(frame))
