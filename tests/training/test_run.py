"""A run's folder: one process at a time, workers that are told of it."""

from dataclasses import replace

import pytest
from torch.utils.data import DataLoader

from vsodlib import TrainConfig
from vsodlib.data import synthetic_dataset
from vsodlib.files import Busy, sole_process
from vsodlib.training.fit import fit
from vsodlib.training.signals import leave_signals_to_the_loop

CONFIG = TrainConfig(
    steps=6,
    batch_size=4,
    frames_per_video=2,
    height=32,
    width=48,
    optimizer="adamw",
    learning_rate=1e-2,
    warmup_steps=2,
    checkpoint_every=2,
    ema_decay=0.9,
)


@pytest.fixture(scope="module")
def clips():
    return synthetic_dataset("train", videos=4, frames=4, height=48, width=72)


def train(tiny_config, config, clips, out, **options):
    return fit(tiny_config, config, clips, out, pretrained_encoder=False, progress=False, **options)


def test_a_folder_takes_one_process(tiny_config, clips, tmp_path):
    train(tiny_config, CONFIG, clips, tmp_path)
    kept = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with sole_process(tmp_path), pytest.raises(Busy, match="Another process is writing to"):
        train(tiny_config, CONFIG, clips, tmp_path, resume=True)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == kept
    train(tiny_config, CONFIG, clips, tmp_path, resume=True)


def test_workers_are_told_so(tiny_config, clips, tmp_path, monkeypatch):
    given = {}
    monkeypatch.setattr(
        "vsodlib.training.fit.DataLoader",
        lambda data, **o: given.update(o) or DataLoader(data, **o),
    )
    train(tiny_config, replace(CONFIG, steps=2, warmup_steps=1), clips, tmp_path)
    assert given["worker_init_fn"] is leave_signals_to_the_loop
