"""Tables as lists of configurations: run once, collected, compared seed by seed."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from torch import nn

from vsodlib import FrameDataset, ModelConfig, TrainConfig, VSODNet
from vsodlib.analysis.seeds import read_table
from vsodlib.cli.main import main
from vsodlib.data import synthetic_dataset
from vsodlib.data.sampling import TrainBatches
from vsodlib.data.synthetic import make_synthetic
from vsodlib.files import sole_process
from vsodlib.model import checkpoint
from vsodlib.training import ablations
from vsodlib.training.ablations import Experiment, collect, table3, table4
from vsodlib.training.log import read_log

LITE, SMOKE = ModelConfig.lite(), ablations.training("smoke")


@pytest.fixture(scope="module")
def clips():
    return synthetic_dataset("train", videos=2, frames=8, height=48, width=72)


@pytest.fixture
def rows(tiny_config):
    train = replace(SMOKE, contrastive_weight=0.0)
    return [Experiment("plain", tiny_config, train), Experiment("+ L_cl", tiny_config, SMOKE)]


def run(rows, seeds, clips, out, **options):
    ablations.run(rows, seeds, clips, {"": clips}, out, pretrained_encoder=False, **options)


def test_table3_changes_one_thing_a_row():
    rows = table3(LITE, SMOKE)
    assert [row.name for row in rows] == [
        "baseline",
        "+ co-attention",
        "+ self-attention",
        "+ both",
        "+ L_cl",
        "+ hard mining",
    ]
    modules = [(row.model.self_attention, row.model.co_attention) for row in rows]
    assert modules == [(False, False), (False, True), (True, False)] + [(True, True)] * 3
    assert [row.train.contrastive_weight for row in rows] == [0, 0, 0, 0, 1, 1]
    assert [row.train.mining for row in rows[4:]] == ["random", "hard"]
    for row in rows:
        assert replace(row.model, self_attention=True, co_attention=True) == LITE
        assert replace(row.train, contrastive_weight=1.0, mining="hard") == SMOKE


def test_rows_branch_off_a_trunk_and_are_scored_twice(tiny_config, clips, tmp_path):
    plain = replace(tiny_config, self_attention=False, co_attention=False)
    net = VSODNet(plain)
    checkpoint.write(tmp_path / "trunk", net.state_dict(), {"model": plain.to_dict()})
    rows = table3(tiny_config, replace(ablations.branch("smoke"), steps=1))[:2]
    tests = {"": clips, " (held out)": clips.subset(list(clips.videos)[:1])}
    ablations.run(rows, [0], clips, tests, tmp_path / "runs", trunk=tmp_path / "trunk")
    assert collect(rows, tmp_path / "runs", tmp_path / "t.csv") == 2
    assert {"J", "J (held out)", "max_f (held out)"} < read_table(tmp_path / "t.csv").keys()
    _, record = checkpoint.read(tmp_path / "runs" / "co-attention-seed0" / "last")
    assert record["initial"]["weights_sha256"] == checkpoint.fingerprint(tmp_path / "trunk")


def test_table4_shares_rows_with_table3():
    third, fourth = table3(LITE, SMOKE), table4(LITE, SMOKE)
    assert (fourth[0], fourth[2]) == (third[0], third[5])
    assert fourth[1].model == replace(third[0].model, inter_frame_attention=True)
    assert fourth[1].train == third[0].train


def test_names_make_different_folders():
    folders = [row.folder for row in table3(LITE, SMOKE) + table4(LITE, SMOKE)[1:2]]
    assert len(set(folders)) == 7
    assert all(name.replace("-", "").replace("_", "").isalnum() for name in folders)


@pytest.mark.parametrize("profile", ["smoke", "laptop", "full"])
def test_training_is_the_papers_objective(profile):
    config = ablations.training(profile)
    assert (config.contrastive_weight, config.iou_weight, config.samples) == (1, 0, 4)
    assert config.frames_per_video == 8


def test_processes_share_a_table(rows, clips, tmp_path, capsys):
    """A row that another is at, or scores, is left to it."""
    with sole_process(tmp_path / "plain-seed0", tmp_path / ".plain-seed0.lock"):
        run(rows, [0], clips, tmp_path, progress=False)
    assert [path.parent.name for path in tmp_path.glob("*/scores.json")] == ["L_cl-seed0"]
    assert "plain-seed0 is left to another process" in capsys.readouterr().err


def test_a_scored_run_is_not_repeated(rows, clips, tmp_path):
    run(rows[:1], [0], clips, tmp_path)
    folder = tmp_path / "plain-seed0"
    assert sorted(path.name for path in folder.iterdir()) == [
        "last.json",
        "last.safetensors",
        "log.jsonl",
        "scores.json",
    ]
    made = (folder / "last.safetensors").stat().st_mtime_ns
    called = []
    run(rows, [0], clips, tmp_path, resume=True, on_run=lambda: called.append(1))
    assert (folder / "last.safetensors").stat().st_mtime_ns == made
    assert (tmp_path / "L_cl-seed0" / "scores.json").exists()
    assert len(called) == 2
    other = [replace(rows[0], train=replace(rows[0].train, steps=3))]
    with pytest.raises(ValueError, match=r"scores\.json belongs to another train"):
        run(other, [0], clips, tmp_path, resume=True)
    fewer = clips.subset(list(clips.videos)[:1])
    for wrong, data, options in (
        ("data, test", fewer, {}),
        ("held_out", clips, {"facts": {"held_out": {"synthetic": 1}}}),
    ):
        with pytest.raises(ValueError, match=f"belongs to another {wrong};"):
            run(rows, [0], data, tmp_path, resume=True, **options)
    with pytest.raises(ValueError, match="belongs to another random_weights;"):
        ablations.run(rows, [0], clips, {"": clips}, tmp_path, resume=True)


def test_without_resume_nothing_is_overwritten(rows, clips, tmp_path):
    run(rows[:1], [0], clips, tmp_path)
    with pytest.raises(ValueError, match="resume"):
        run(rows[::-1], [0], clips, tmp_path)
    assert not (tmp_path / "L_cl-seed0").exists()  # told before another row is trained


def test_an_interrupted_run_goes_on(rows, clips, tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(rows[:1], [3], clips, whole)

    def stop(*args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ablations, "evaluate", stop)
        with pytest.raises(KeyboardInterrupt):
            run(rows[:1], [3], clips, parts)
    assert (parts / "plain-seed3" / "state.pt").exists()
    with monkeypatch.context() as patch:  # all steps are done
        patch.setattr("vsodlib.training.fit.objective", lambda *_: pytest.fail("trained again"))
        run(rows[:1], [3], clips, parts, resume=True)
    scores = [json.loads((p / "plain-seed3" / "scores.json").read_text()) for p in (whole, parts)]
    for found in scores:
        found["scores"].pop("seconds_per_frame")
    assert scores[0]["scores"] == scores[1]["scores"]
    assert read_log(parts / "plain-seed3" / "log.jsonl") == []


def test_collect_and_read(rows, clips, tmp_path):
    run(rows, [0, 1], clips, tmp_path)
    assert collect(rows, tmp_path, tmp_path / "table.csv") == 4
    scores = read_table(tmp_path / "table.csv")
    assert list(scores["max_f"]) == ["plain", "+ L_cl"]
    found = json.loads((tmp_path / "plain-seed1" / "scores.json").read_text())
    assert scores["mae"]["plain"][1] == pytest.approx(found["scores"]["mae"], abs=5e-6)
    record = json.loads((tmp_path / "table.json").read_text())
    assert record["test"][0].startswith("synthetic") and record["commit"]
    assert record["device"].startswith("cpu")
    names = [(r["experiment"], r["seed"], r["train"]["contrastive_weight"]) for r in record["runs"]]
    assert names == [("plain", 0, 0), ("plain", 1, 0), ("+ L_cl", 0, 1), ("+ L_cl", 1, 1)]
    assert not list(tmp_path.glob("*.tmp"))
    assert collect(rows[1:], tmp_path, tmp_path / "one.csv") == 2


def test_rows_share_batches(rows, clips):
    def batches(config):
        (phase,) = TrainBatches(clips, config).phases
        return [phase.batch(step) for step in range(config.steps)]

    plain, contrastive = (batches(row.train) for row in rows)
    assert plain == contrastive
    assert plain != batches(replace(rows[0].train, seed=1))


def test_seeds_differ_and_names_do_not_matter(rows, clips, tmp_path):
    same = [rows[0], replace(rows[0], name="again")]
    run(same, [0, 1], clips, tmp_path)
    collect(same, tmp_path, tmp_path / "t.csv")
    scores = read_table(tmp_path / "t.csv")["mae"]
    assert scores["plain"] == scores["again"]
    assert scores["plain"][0] != scores["plain"][1]


def test_command_line(tmp_path, capsys, monkeypatch):
    make_synthetic(tmp_path / "DAVIS", videos=3, frames=9, height=48, width=72)
    words = ["ablate", "table4", "--seeds", "0", "--profile", "smoke", "--datasets", "davis2016"]
    words += ["--test", "davis2016", "synthetic=val"]
    words += ["--data", str(tmp_path), "--out", str(tmp_path / "runs"), "--random-weights"]
    words += ["--foreground", "9", "--hold-out", "davis2016=1"]
    assert main([*words, "--rows", "baseline", "+ inter-frame co-attention"]) == 0
    _, record = checkpoint.read(tmp_path / "runs/baseline-seed0/last")
    assert (record["foreground"], record["held_out"]) == (9, {"davis2016": 1})
    out = capsys.readouterr().out
    assert "2 runs scored (2 asked)" in out and "against the row above" in out
    head = next(line for line in out.splitlines() if "seeds" in line)
    rows = [line for line in out.splitlines() if line.startswith(("baseline", "+ inter-frame"))]
    assert {line[head.index("seeds") + 4] for line in rows} == {"1"}
    measures = set(read_table(tmp_path / "runs" / "table4.csv"))
    assert measures >= {"max_f", "J", "seconds_per_frame", "J (synthetic)"}
    assert main([*words, "--test", "davis2016", "synthetic", "synthetic=train"]) == 2
    assert "--test names synthetic twice" in capsys.readouterr().err
    monkeypatch.setattr(FrameDataset, "in_memory", lambda *_: pytest.fail("decoded"))
    assert main([*words, "--profile", "laptop", "--rows", "nonsense", "--hold-out", "x=1"]) == 2
    said = capsys.readouterr().err
    assert "table4 has the rows" in said and "not 'x=1'" in said
    assert main([*words, "--profile", "laptop"]) == 2
    assert "4 samples of a batch come from still images" in capsys.readouterr().err
    assert main([*words, "--rows", "nonsense"]) == 2
    assert "table4 has the rows baseline, + inter-frame" in capsys.readouterr().err


def test_profile_comes_from_the_environment(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("VSOD_PROFILE", "huge")
    assert main(["ablate", "table3", "--out", str(tmp_path), "--data", str(tmp_path)]) == 2
    assert "VSOD_PROFILE" in capsys.readouterr().err


def test_smoke_sizes_are_small():
    assert isinstance(SMOKE, TrainConfig) and SMOKE.steps <= 2


class Blur(nn.Module):
    """A module that anyone may try in place of Eq. 4 and 5: every position sees its neighbours."""

    def __init__(self, channels):
        super().__init__()
        self.mix = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, x):
        return self.mix(x)


def test_a_module_of_ones_own_is_a_row(rows, clips, tmp_path):
    own = {"self_attention": Blur}
    rows = [rows[0], replace(rows[0], name="blur", own_modules=own)]
    run(rows, [0], clips, tmp_path)
    assert collect(rows, tmp_path, tmp_path / "t.csv") == 2
    tensors, record = checkpoint.read(tmp_path / "blur-seed0/last")
    assert record["own_modules"] == {"self_attention": "Blur"}
    assert "self_attention.mix.weight" in tensors
    run(rows, [0], clips, tmp_path, resume=True)  # both are scored
    with pytest.raises(ValueError, match="another own_modules"):
        run([replace(rows[1], own_modules={})], [0], clips, tmp_path, resume=True)


def test_a_table_that_several_collect_at_once_is_whole(rows, clips, tmp_path):
    run(rows, [0], clips, tmp_path)
    assert collect(rows, tmp_path, tmp_path / "one.csv") == 2
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: collect(rows, tmp_path, tmp_path / "all.csv"), range(40)))
    assert found == [2] * 40
    for suffix in (".csv", ".json"):
        one, every = (tmp_path / f"{name}{suffix}" for name in ("one", "all"))
        assert every.read_text() == one.read_text()
