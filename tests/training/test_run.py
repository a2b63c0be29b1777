"""A run's folder: lock, log, listeners, signals."""

import sys
from dataclasses import replace

import pytest
from torch.utils.data import DataLoader

from vsodlib import TrainConfig
from vsodlib.data import synthetic_dataset
from vsodlib.training.fit import fit
from vsodlib.training.run import Log, leave_signals_to_the_loop, read_log, sole_process, tensorboard

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
    kept = {path: path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".lock"}
    with sole_process(tmp_path), pytest.raises(ValueError, match="Another process is training in"):
        train(tiny_config, CONFIG, clips, tmp_path, resume=True)
    assert {path: path.read_bytes() for path in kept} == kept
    with sole_process(tmp_path), sole_process(tmp_path, active=False):
        pass  # the processes of one run share its folder
    train(tiny_config, CONFIG, clips, tmp_path, resume=True)


def test_log_drops_what_lies_behind_a_resumed_step(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 10, "loss": 1}\n{"step": 20, "loss": 2}\n{"step": 3')
    Log(path, 10, active=True, on_log=None)
    assert read_log(path) == [{"step": 10, "loss": 1}]


def test_tensorboard_gets_every_number(tmp_path, monkeypatch):
    listen = tensorboard(tmp_path)
    assert not list(tmp_path.iterdir())
    listen({"step": 10, "loss": 0.5, "lr": 1e-3})
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path)).Reload()
    (loss,) = events.Scalars("loss")
    assert (loss.step, loss.value) == (10, 0.5)
    assert set(events.Tags()["scalars"]) == {"loss", "lr"}
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ValueError, match=r"pip install 'vsodlib\[tensorboard\]'"):
        tensorboard(tmp_path)


def test_workers_are_told_so(tiny_config, clips, tmp_path, monkeypatch):
    given = {}
    monkeypatch.setattr(
        "vsodlib.training.fit.DataLoader",
        lambda data, **o: given.update(o) or DataLoader(data, **o),
    )
    train(tiny_config, replace(CONFIG, steps=2, warmup_steps=1), clips, tmp_path)
    assert given["worker_init_fn"] is leave_signals_to_the_loop
