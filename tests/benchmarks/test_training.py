"""The cost of a training step, form by form."""

import pytest
import torch

from benchmarks.training import FORMS, bench_training
from vsodlib import VSODNet
from vsodlib.model import checkpoint


def test_every_form_is_measured_and_learns_alike(tmp_path, tiny_config):
    net = VSODNet(tiny_config)
    checkpoint.write(tmp_path / "net", net.state_dict(), {"model": tiny_config.to_dict()})
    found = bench_training(1, 1, str(tmp_path / "net"), loss_steps=3)["forms"]
    assert set(FORMS[:3]) <= found.keys() and any("twice the batch" in name for name in found)
    assert all(row["seconds_per_image"] > 0 for row in found.values())
    assert found["plain"]["times_fewer"] == 1
    plain = torch.tensor(found["plain"]["losses"])
    view = torch.tensor(found["quick view"]["losses"])
    torch.testing.assert_close(view, plain, atol=1e-4, rtol=1e-4)
    assert len(plain) == 3 and plain[-1] < plain[0]


def test_refuses():
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        bench_training(batch_size=0)
