"""A run's log, and listeners to it."""

import sys

import pytest

from vsodlib.training.log import Log, read_log, tensorboard


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
