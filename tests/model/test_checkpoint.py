"""Checkpoints come back as they were, and corrupt or foreign files are named."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from vsodlib import VSODNet, provenance
from vsodlib.model import checkpoint


@pytest.fixture
def saved(tmp_path, tiny_config):
    net = VSODNet(tiny_config).eval()
    net.encoder.project[1].running_var.uniform_(0.5, 2)  # new ones are all 1
    record = {"model": tiny_config.to_dict(), "input_height": 64}
    return net, checkpoint.write(tmp_path / "net", net.state_dict(), record)


def test_round_trip(saved):
    net, path = saved
    loaded = VSODNet.from_pretrained(path)
    assert not loaded.training
    assert loaded.input_height == 64
    assert loaded.config == net.config
    found = loaded.state_dict()
    for name, tensor in net.state_dict().items():  # filters are stored as float16
        kept = tensor.half().float() if tensor.ndim > 1 else tensor
        assert torch.equal(found[name], kept), name
    assert VSODNet.from_pretrained(path.with_suffix("")).config == net.config


def test_average_is_the_mean_of_every_tensor(saved, tmp_path, tiny_config):
    _, path = saved
    other = VSODNet(tiny_config).state_dict()
    theirs = {"model": tiny_config.to_dict(), "step": 7, "scores": {"J": 0.7}}
    theirs["held_out"] = {"davis2016": 6}
    checkpoint.write(tmp_path / "other", other, theirs)
    means, record = checkpoint.average([path, tmp_path / "other"])
    first, second = checkpoint.read(path)[0], checkpoint.read(tmp_path / "other")[0]
    for key, value in means.items():
        if value.is_floating_point():
            torch.testing.assert_close(value, (first[key] + second[key]) / 2)
        else:
            assert torch.equal(value, second[key])
    assert record["step"] == 7 and record["model"] == tiny_config.to_dict()
    assert "scores" not in record  # they are of the other
    assert record["held_out"] == {}  # the first trained on all
    assert record["average_of"] == [checkpoint.fingerprint(p) for p in (path, tmp_path / "other")]
    bare = replace(tiny_config, gates=False)
    checkpoint.write(tmp_path / "bare", VSODNet(bare).state_dict(), {"model": bare.to_dict()})
    with pytest.raises(ValueError, match="is another network than"):
        checkpoint.average([path, tmp_path / "bare"])


def test_vectors_keep_their_precision(saved):
    net, path = saved
    tensors, record = checkpoint.read(path)
    name = "encoder.project.1.running_var"
    assert torch.equal(tensors[name], net.state_dict()[name])
    assert not torch.equal(tensors[name], tensors[name].half().float())
    assert tensors["head.weight"].dtype == torch.float32
    assert record["normalisation"]["mean"] == [0.485, 0.456, 0.406]


def test_missing_checkpoint_lists_names(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "REPOSITORY", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no checkpoint 'nothing'.*none yet"):
        VSODNet.from_pretrained("nothing")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "there.safetensors").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="there"):
        VSODNet.from_pretrained("nothing")


def test_missing_record(saved):
    _, path = saved
    path.with_suffix(".json").unlink()
    with pytest.raises(FileNotFoundError, match=r"net\.json is missing"):
        VSODNet.from_pretrained(path)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": "vsodlib-1"}'])
def test_foreign_record(saved, text):
    _, path = saved
    path.with_suffix(".json").write_text(text)
    with pytest.raises(ValueError, match=r"net\.json"):
        VSODNet.from_pretrained(path)


def test_truncated_weights(saved):
    _, path = saved
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"net\.safetensors is not a readable"):
        VSODNet.from_pretrained(path)


def test_weights_of_another_model(saved):
    _, path = saved
    record = json.loads(path.with_suffix(".json").read_text())
    record["model"]["channels"] = 16
    path.with_suffix(".json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match="do not fit"):
        VSODNet.from_pretrained(path)


def test_config_that_contradicts_itself(saved):
    _, path = saved
    record = json.loads(path.with_suffix(".json").read_text())
    record["model"]["output_stride"] = 12
    path.with_suffix(".json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match="output_stride must be 8 or 16, got 12"):
        VSODNet.from_pretrained(path)


@pytest.mark.parametrize("name", checkpoint.available())
def test_bundled_checkpoints_load_and_say_how_they_were_made(name):
    VSODNet.from_pretrained(name)
    _, record = checkpoint.read(name)
    assert {"model", "train", "data", "commit", "device", "scores"} <= record.keys()


def test_a_full_disk_is_one_sentence(saved, monkeypatch):
    net, path = saved
    before = path.read_bytes()

    def full(tensors, place):
        Path(place).write_bytes(b"half")
        raise SafetensorError("No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OSError, match=r"net\.safetensors cannot be written \(No space"):
        checkpoint.write(path, net.state_dict(), {})
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 2


@pytest.mark.parametrize("name", ["", "."])
def test_a_name_that_is_none(name):
    with pytest.raises(FileNotFoundError, match="There is no checkpoint"):
        checkpoint.locate(name)


def edit(path, change):
    record = json.loads(path.with_suffix(".json").read_text())
    change(record)
    path.with_suffix(".json").write_text(json.dumps(record))


def test_a_file_that_would_fill_the_memory(saved):
    _, path = saved
    with path.open("r+b") as file:  # sparse: it takes no room on the disk
        file.truncate(checkpoint.LARGEST_WEIGHTS + 1)
    for read in (checkpoint.read, checkpoint.fingerprint):
        with pytest.raises(ValueError, match="has 2147 MB; at most"):
            read(path)


def test_numbers_that_torch_cannot_convert(saved):
    _, path = saved
    save_file({"a": torch.zeros(4, dtype=torch.uint8).view(torch.float4_e2m1fn_x2)}, path)
    with pytest.raises(ValueError, match="numbers that torch cannot convert"):
        checkpoint.read(path)


def test_another_normalisation(saved):
    _, path = saved
    edit(path, lambda record: record["normalisation"].update(mean=[0, 0, 0]))
    with pytest.raises(ValueError, match="normalisation is not ImageNet's"):
        checkpoint.read(path)


def test_filters_too_large_for_half_precision_come_back(saved, tmp_path):
    net, path = saved
    weights = net.state_dict() | {"head.weight": torch.full_like(net.head.weight, 1e5)}
    checkpoint.write(path, weights, checkpoint.read(path)[1])
    assert torch.equal(checkpoint.read(path)[0]["head.weight"], weights["head.weight"])
