"""Model cards say what the JSON of a checkpoint says."""

import pytest

from vsodlib import bundled
from vsodlib.cli.card import model_card
from vsodlib.model import checkpoint

NAMES = checkpoint.available()


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_card_is_the_generated_one(name):
    _, record = checkpoint.read(name)
    assert bundled(f"checkpoints/{name}.md").read_text() == model_card(name, record)


def test_every_run_is_a_row_and_every_data_set_a_licence():
    assert NAMES
    _, record = checkpoint.read(NAMES[0])
    first = record
    while "initial" in first:
        first = first["initial"]
    first["data"] = "fbms, 3 videos, 30 frames"
    first["train"]["phases"] = ["0.5 height=320 width=544", "0.9 height=64", "", "x"]
    first["step"] = 1200
    card = model_card("other", record)
    rows = [line for line in card.splitlines() if " cpu, " in line]
    assert rows[0].startswith("| 1 | fbms, 3 videos, 30 frames | 1200 (1 to 1200 of 1500) | ")
    assert " | 224x384, from 0.5 height=320 width=544 | " in rows[0]
    steps = f"{888 - 588} (589 to 888 of 888)"
    assert rows[-1].startswith(f"| {len(rows)} | {record['data']} | {steps} | ")
    licences = card.partition("## Licence")[2]
    assert all(f"- {name}: " in licences for name in ("davis2016", "duts-tr", "fbms"))
    assert 'from_pretrained("other")' in card


def test_a_stage_is_one_row_whatever_its_record_says():
    _, record = checkpoint.read(NAMES[0])
    rows = len(model_card("other", record).splitlines())
    record["commit"] = "a | b\n\n# \ud800"
    assert len(model_card("other", record).splitlines()) == rows
    assert " | a / b # \\ud800 | " in model_card("other", record)


def test_what_was_switched_off_is_said():
    _, record = checkpoint.read(NAMES[0])
    record["model"]["gates"] = False
    record["scores"]["T"] = None
    card = model_card("other", record)
    assert "without co-attention between frames (Table 4), gates (Eq. 7, 8)." in card
    assert " | - | " in card
    del record["scores"]
    with pytest.raises(KeyError, match="scores"):
        model_card("other", record)


def test_a_network_of_unknown_origin_says_so():
    _, record = checkpoint.read(NAMES[0])
    card = model_card("other", {key: record[key] for key in ("model", "scores")})
    assert "Its record does not say." in card and "| stage |" not in card
    assert "- of data that its record does not name" in card
