"""Records from elsewhere may hold JSON of any shape: each is read or refused in one sentence."""

import json
import shutil
from typing import Any, Literal, TypedDict

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from vsodlib import VSODNet
from vsodlib.cli.card import model_card
from vsodlib.cli.main import main
from vsodlib.config import ModelConfig, TrainConfig, check_form
from vsodlib.data.download import Entry, download
from vsodlib.files import read_json
from vsodlib.model import checkpoint
from vsodlib.model.checkpoint import Stage
from vsodlib.training.ablations import Scored
from vsodlib.training.log import read_log
from vsodlib.training.state import State

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
MANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SCORES = dict.fromkeys(("mae", "max_f", "s_measure", "T", "split", "height", "frames"), 1)
SCORES |= {"J": {"mean": 1, "recall": 1}, "F": {"mean": 1, "recall": 1}}
SCORES |= {"dataset": "x", "flip": False, "protocol": "x"}
FORMS = (Entry, Scored, State, dict[str, int], list[str], tuple[int, ...], int | None, float)


def refused(call, *named: str) -> bool:
    """Whether a call is refused, in one sentence that holds one of the names."""
    try:
        call()
    except ValueError as error:
        assert any(name in str(error) for name in named), error
        return True
    return False


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    config = ModelConfig("tf_efficientnet_lite0", 16, channels=8, aspp_rates=(1, 2))
    record = {"model": config.to_dict(), "input_height": 32}
    return checkpoint.write(
        tmp_path_factory.mktemp("net") / "net", VSODNet(config).state_dict(), record
    )


@MANY
@given(value=ANYTHING, place=st.data())
def test_checkpoints(net, value, place):
    """One value of the record, or all of it, is something else."""
    path = net.with_suffix(".json")
    before = path.read_text()
    record = json.loads(before)
    keys = [("model", key) for key in record["model"]]
    keys += [(key,) for key in ("format", "model", "normalisation", *Stage.__annotations__)] + [()]
    key = place.draw(st.sampled_from(keys))
    if key:
        (record["model"] if len(key) == 2 else record)[key[-1]] = value
    try:
        path.write_text(json.dumps(record if key else value))
        kept = []
        if not refused(lambda: kept.append(checkpoint.read(net)[1]), "net.json"):
            ModelConfig.from_dict(kept[0]["model"])
            height = kept[0].get("input_height")
            assert height is None or (type(height) is int and 1 <= height <= 8192)
            model_card("x", kept[0] | {"scores": SCORES})
    finally:
        path.write_text(before)


@MANY
@given(value=ANYTHING, key=st.sampled_from(sorted(TrainConfig().to_dict())))
def test_configurations(value, key):
    values = TrainConfig().to_dict() | {key: value}
    if not refused(lambda: TrainConfig.from_dict(values), key, "batch"):
        kind = type(getattr(TrainConfig(), key))
        found = getattr(TrainConfig.from_dict(values), key)
        assert type(found) is kind or (kind, type(found)) in ((float, int), (type(None), int))


@MANY
@given(value=ANYTHING, form=st.sampled_from(FORMS))
def test_forms(value, form):
    refused(lambda: check_form(value, form, "here:"), "here:")


@MANY
@given(value=ANYTHING, last=st.booleans())
def test_logs(tmp_path, value, last):
    path = tmp_path / "log.jsonl"
    row = json.dumps({"step": 10, "loss": 0.5})
    path.write_text("\n".join([row, json.dumps(value), *([] if last else [row])]))
    if not refused(lambda: read_log(path), "log.jsonl, line 2"):
        assert all(type(row["step"]) is int for row in read_log(path))
    else:
        assert not last  # a killed run may leave that


@MANY
@given(value=ANYTHING)
def test_downloads(tmp_path, value):
    """What says of which file a part is the beginning: then it is another's."""
    home, here = tmp_path / "home.zip", tmp_path / "a.zip"
    home.write_bytes(b"all of it")
    here.with_name("a.zip.part").write_bytes(b"all of")
    here.with_name("a.zip.part.json").write_text(json.dumps(value))
    download(home.as_uri(), here, progress=False)
    assert here.read_bytes() == b"all of it"


class Row(TypedDict):
    name: Literal["a", "b"]
    values: list[float]


@pytest.mark.parametrize(
    ("value", "form", "said"),
    [
        ({"name": "c", "values": []}, Row, "x name must be 'a' or 'b', not 'c'"),
        ({"name": "a", "values": [1, "2"]}, Row, "x values must be float, not '2'"),
        ({"name": "a"}, Row, "x lacks values."),
        ({"a": {}}, dict[str, int], "x must be int, not dict"),
        (True, int, "x must be int, not True"),
        (2**63, int, "x must be int"),
        (float("nan"), float, "x must be float, not nan"),
        (1.0, int | None, "x must be int | None, not 1.0"),
    ],
)
def test_what_does_not_fit_is_said(value, form, said):
    with pytest.raises(ValueError) as error:
        check_form(value, form, "x")
    assert str(error.value).startswith(said)


def test_what_fits():
    check_form({"name": "a", "values": [1, 2.5], "more": None}, Row, "x")
    for value, form in ((None, int | None), (3, float), ({}, dict[str, Any]), ((1, 2), tuple)):
        check_form(value, form, "x")


@pytest.mark.parametrize("text", [b"", b"{", b"[" * 100_000, b"\xff", b"1" * 5000, b"5"])
def test_files_that_are_no_json(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text)
    with pytest.raises(ValueError, match=r"a\.json"):
        read_json(tmp_path / "a.json")


def test_a_record_may_not_ask_for_all_memory(net, tmp_path):
    """128 TB of weights are refused by what the file holds, before they are made."""
    for suffix in (".json", ".safetensors"):
        shutil.copy(net.with_suffix(suffix), tmp_path / f"big{suffix}")
    record = json.loads((tmp_path / "big.json").read_text())
    for name, value in (("channels", 10**12), ("channels", 10**18), ("backbone", "resnet18")):
        changed = record | {"model": record["model"] | {name: value}}
        (tmp_path / "big.json").write_text(json.dumps(changed))
        with pytest.raises(ValueError, match="big"):
            VSODNet.from_pretrained(tmp_path / "big")


@pytest.mark.parametrize(
    "name", ["hf-hub:timm/resnet18.a1_in1k", "timm/resnet18", "local-dir:/x", "../x", "", "dla34"]
)
def test_a_backbone_has_a_known_name(name, monkeypatch):
    def touched(*args, **kwargs):
        raise AssertionError("the network was touched")

    monkeypatch.setattr("socket.getaddrinfo", touched)
    with pytest.raises(ValueError, match="timm"):
        VSODNet(ModelConfig(backbone=name))


HEAD = "head.weight"
ODD = {
    "complex": (lambda w: {HEAD: w[HEAD].to(torch.complex64)}, "complex numbers in head.weight"),
    "not a number": (lambda w: {HEAD: w[HEAD] * torch.nan}, "that are not finite in head.weight"),
    "too large": (lambda w: {HEAD: w[HEAD].double() + 1e300}, "not finite in head.weight"),
    "shape": (lambda w: {HEAD: w[HEAD][:, :5]}, "do not fit the model its JSON describes: head.w"),
    "vector": (lambda w: {HEAD: w[HEAD].flatten()}, "do not fit the model"),
    "whole numbers": (lambda w: {HEAD: w[HEAD].long()}, "do not fit the model"),
    "foreign": (lambda w: {"conv1.weight": w[HEAD]}, "describes: conv1.weight differs"),
}


@pytest.mark.parametrize("name", [*ODD, "missing"])
def test_weights_of_no_network_are_refused(name, net, tmp_path, capsys):
    """Nothing starts from a part of them, or averages or writes them."""
    weights = load_file(net)
    change, said = ODD.get(name, (None, "do not fit the model its JSON describes"))
    kept = weights | change(weights) if change else {HEAD: weights[HEAD]}
    save_file({k: t.clone().contiguous() for k, t in kept.items()}, tmp_path / "odd.safetensors")
    shutil.copy(net.with_suffix(".json"), tmp_path / "odd.json")
    config = ModelConfig.from_dict(checkpoint.read(net)[1]["model"])
    for call in (VSODNet.from_pretrained, VSODNet(config).load_trunk):
        with pytest.raises(ValueError, match=said):
            call(tmp_path / "odd")
    assert main(["average", str(tmp_path / "odd"), "--out", str(tmp_path / "mean")]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"own_modules": {"encoder": "Mine"}}, "own_modules cannot be encoder"),
        ({"x": json.loads("[" * 201 + "]" * 201)}, "nested more than 200 levels deep"),
    ],
)
def test_records_that_would_spoil_a_run(change, said, net, tmp_path):
    """Weights of modules of one's own are not checked; a deep record cannot be written again."""
    for suffix in (".json", ".safetensors"):
        shutil.copy(net.with_suffix(suffix), tmp_path / f"odd{suffix}")
    record = json.loads((tmp_path / "odd.json").read_text()) | change
    (tmp_path / "odd.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match=said):
        checkpoint.read(tmp_path / "odd")
