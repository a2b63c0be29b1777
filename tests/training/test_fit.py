"""fit(): it learns, it resumes exactly, it stops when asked, and it names what went wrong."""

import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from vsodlib import FrameDataset, ModelConfig, TrainConfig, VSODNet
from vsodlib.data import concat, synthetic_dataset
from vsodlib.data.sampling import TrainBatches
from vsodlib.model import checkpoint
from vsodlib.training.fit import fit
from vsodlib.training.log import read_log
from vsodlib.training.optimizer import Clock
from vsodlib.training.run import choose_precision
from vsodlib.training.speed import seconds_per_step

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


def assert_equal_states(first, second):
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def stop_at(step, by=signal.SIGINT):
    """A log listener that interrupts this process when `step` has been logged."""

    def listen(row):
        if row["step"] == step:
            os.kill(os.getpid(), by)

    return listen


def test_fit_writes_what_it_promises(tiny_config, clips, tmp_path):
    records = [replace(clips.records[0], mask=None), *clips.records[1:4]]  # not all annotated
    validation = FrameDataset("held out", records, clips.sources[:4])
    net = train(tiny_config, CONFIG, clips, tmp_path, validation=validation)
    assert not net.training
    assert VSODNet.from_pretrained(tmp_path / "best").config == tiny_config
    last = VSODNet.from_pretrained(tmp_path / "last")
    torch.testing.assert_close(last.state_dict(), net.state_dict(), atol=1e-3, rtol=1e-3)
    assert last.input_height == 32
    rows = [row for row in read_log(tmp_path / "log.jsonl") if "validation_iou" in row]
    assert [row["step"] for row in rows] == [2, 4, 6]
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.slow
def test_it_learns_one_clip(tiny_config, tmp_path):
    clips = synthetic_dataset("train", videos=1, frames=8, height=64, width=96)
    config = replace(
        CONFIG, steps=60, height=64, width=96, ema_decay=0, scale_min=1.0, checkpoint_every=60
    )
    train(tiny_config, config, clips, tmp_path)
    losses = [row["loss"] for row in read_log(tmp_path / "log.jsonl")]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_resume_is_exact(tiny_config, clips, tmp_path, monkeypatch, by):
    monkeypatch.setattr("vsodlib.training.log.LOG_EVERY", 1)
    whole = train(tiny_config, CONFIG, clips, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt, match="step 3"):
        train(tiny_config, CONFIG, clips, tmp_path / "parts", on_log=stop_at(3, by))
    rows = []
    options = {"resume": True, "on_log": rows.append}
    resumed = train(tiny_config, CONFIG, clips, tmp_path / "parts", **options)
    assert [row["step"] for row in rows] == [4, 5, 6]
    assert_equal_states(whole.state_dict(), resumed.state_dict())
    logs = [read_log(tmp_path / name / "log.jsonl") for name in ("whole", "parts")]
    assert [row["loss"] for row in logs[0]] == [row["loss"] for row in logs[1]]


def test_start_from_a_checkpoint(tiny_config, clips, tmp_path, capsys):
    held = {"facts": {"held_out": {clips.name: 1}}}
    train(tiny_config, CONFIG, clips, tmp_path / "first", **held)
    quiet = replace(CONFIG, steps=2, warmup_steps=1, learning_rate=0.0, encoder_learning_rate=0.0)
    start = tmp_path / "first" / "last"
    second = train(tiny_config, quiet, clips, tmp_path / "second", initial=start, **held)
    assert "may have seen" not in capsys.readouterr().err
    expected = dict(VSODNet.from_pretrained(start).named_parameters())
    for name, parameter in second.named_parameters():
        torch.testing.assert_close(parameter, expected[name], atol=1e-4, rtol=2e-3)
    _, record = checkpoint.read(tmp_path / "second" / "last")
    assert record["initial"]["train"] == CONFIG.to_dict()
    assert record["initial"]["step"] == checkpoint.read(start)[1]["step"]
    assert record["initial"]["weights_sha256"] == checkpoint.fingerprint(start)
    assert record["initial"]["held_out"] == {clips.name: 1}
    held["facts"]["held_out"][clips.name] = 2
    train(tiny_config, quiet, clips, tmp_path / "more", initial=start, **held)
    assert f"may have seen what is held out of {clips.name}" in capsys.readouterr().err
    other = replace(tiny_config, channels=4)
    with pytest.raises(ValueError, match="another network"):
        train(other, quiet, clips, tmp_path / "third", initial=start)


def test_handlers_are_put_back(tiny_config, clips, tmp_path):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    train(tiny_config, replace(CONFIG, steps=2, warmup_steps=1), clips, tmp_path)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_run_is_not_overwritten(tiny_config, clips, tmp_path):
    train(tiny_config, CONFIG, clips, tmp_path)
    with pytest.raises(ValueError, match="holds a run already"):
        train(tiny_config, CONFIG, clips, tmp_path)
    other = replace(CONFIG, learning_rate=1e-3)
    with pytest.raises(ValueError, match="another learning_rate"):
        train(tiny_config, other, clips, tmp_path, resume=True)
    with pytest.raises(ValueError, match="another channels"):
        train(replace(tiny_config, channels=4), CONFIG, clips, tmp_path, resume=True)


def test_damaged_state_falls_back_to_the_one_before(tiny_config, clips, tmp_path, monkeypatch):
    monkeypatch.setattr("vsodlib.training.log.LOG_EVERY", 1)
    whole = train(tiny_config, CONFIG, clips, tmp_path)
    (tmp_path / "state.pt").write_bytes(b"half a st")
    rows = []
    resumed = train(tiny_config, CONFIG, clips, tmp_path, resume=True, on_log=rows.append)
    assert [row["step"] for row in rows] == [5, 6]
    assert_equal_states(whole.state_dict(), resumed.state_dict())
    for path in tmp_path.glob("state*.pt"):
        path.write_bytes(b"half a st")
    with pytest.raises(ValueError, match=r"state\.pt is not a readable training state"):
        train(tiny_config, CONFIG, clips, tmp_path, resume=True)


def test_loss_that_stops_being_finite_is_named(tiny_config, clips, tmp_path):
    with pytest.raises(ValueError, match=r"finite at step \d \(frames synthetic"):
        train(tiny_config, replace(CONFIG, learning_rate=1e30, clip_gradient=0), clips, tmp_path)


def test_weights_that_stop_being_finite_in_the_last_step_are_not_written(
    tiny_config, clips, tmp_path
):
    with pytest.raises(ValueError, match="weights stopped being finite by step 1"):
        huge = replace(CONFIG, learning_rate=1e30, weight_decay=1e30)
        train(tiny_config, huge, clips, tmp_path, last_step=1)
    assert not list(tmp_path.glob("*.safetensors")) and not (tmp_path / "state.pt").exists()


def test_batches_depend_on_seed_and_step_alone(clips):
    first, second = TrainBatches(clips, CONFIG), TrainBatches(clips, CONFIG)
    second[0]
    torch.rand(3)
    assert torch.equal(first[4]["image"], second[4]["image"])
    assert not torch.equal(first[4]["image"], first[5]["image"])
    other = TrainBatches(clips, replace(CONFIG, seed=1))
    assert not torch.equal(first[4]["image"], other[4]["image"])
    state = torch.get_rng_state()
    first[1]
    assert torch.equal(torch.get_rng_state(), state)


def test_ranks_share_a_batch_by_video(clips):
    whole, *shares = (
        [TrainBatches(clips, CONFIG, *of).phases[0].batch(step) for step in range(CONFIG.steps)]
        for of in [(0, 1), (0, 2), (1, 2)]
    )
    assert [a + b for a, b in zip(*shares, strict=True)] == whole
    for batch in shares[0] + shares[1]:
        assert len({clips.records[i].video for i in batch}) == 1
    with pytest.raises(ValueError, match="3 processes cannot share"):
        TrainBatches(clips, CONFIG, 0, 3)


def test_a_sample_does_not_depend_on_the_number_of_processes(clips):
    whole, *shares = (TrainBatches(clips, CONFIG, *r)[2] for r in [(0, 1), (0, 2), (1, 2)])
    for key in ("image", "mask"):
        assert torch.equal(whole[key], torch.cat([share[key] for share in shares]))


def test_the_contrastive_term_changes_training(tiny_config, clips, tmp_path):
    nets = [
        train(tiny_config, replace(CONFIG, contrastive_weight=w), clips, tmp_path / str(w))
        for w in (0.0, 1.0)
    ]
    assert not torch.equal(nets[0].head.weight, nets[1].head.weight)
    rows = [read_log(tmp_path / f"{w}" / "log.jsonl") for w in (0.0, 1.0)]
    assert rows == [[], []]  # six steps are fewer than a line
    config = replace(CONFIG, steps=10)
    train(tiny_config, config, clips, tmp_path / "logged")
    (row,) = read_log(tmp_path / "logged" / "log.jsonl")
    assert row["contrastive"] > 0


def test_frozen_batch_norms_keep_their_statistics(tiny_config, clips, tmp_path):
    torch.manual_seed(CONFIG.seed)
    before = dict(VSODNet(tiny_config).named_buffers())
    config = replace(CONFIG, freeze_batch_norm=True, ema_decay=0)
    net = train(tiny_config, config, clips, tmp_path, validation=clips)
    for name, buffer in net.named_buffers():
        assert torch.equal(buffer, before[name]), name


def test_bfloat16(tiny_config, clips, tmp_path, monkeypatch):
    monkeypatch.setattr("vsodlib.training.run.has_bfloat16", lambda device: True)
    config = replace(CONFIG, steps=2, warmup_steps=1)
    plain = train(tiny_config, config, clips, tmp_path / "plain")
    half = train(tiny_config, replace(config, precision="bf16"), clips, tmp_path / "bf16")
    assert all(p.isfinite().all() and p.dtype == torch.float32 for p in half.parameters())
    assert not torch.equal(plain.head.weight, half.head.weight)


def test_precision_is_measured_or_refused(tiny_config, monkeypatch):
    net, cpu = VSODNet(tiny_config), torch.device("cpu")
    monkeypatch.setattr("vsodlib.training.run.has_bfloat16", lambda device: False)
    assert choose_precision(replace(CONFIG, precision="auto"), net, cpu) == "no"
    with pytest.raises(ValueError, match="This cpu has no bfloat16 units"):
        choose_precision(replace(CONFIG, precision="bf16"), net, cpu)
    monkeypatch.setattr("vsodlib.training.run.has_bfloat16", lambda device: True)
    for slower, chosen in ((False, "bf16"), (True, "no")):
        monkeypatch.setattr(
            "vsodlib.training.run.seconds_per_step",
            lambda view, images, half, slower=slower: 1.0 + (half == slower),
        )
        assert choose_precision(replace(CONFIG, precision="auto"), net, cpu) == chosen


def test_the_trial_of_a_step_leaves_no_trace(tiny_config, monkeypatch):
    """Neither gradients nor, in the statistics of batch norms, its random images."""
    monkeypatch.setattr("vsodlib.training.run.has_bfloat16", lambda device: True)
    net = VSODNet(tiny_config)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    choose_precision(replace(CONFIG, precision="auto"), net, torch.device("cpu"))
    assert_equal_states(before, net.state_dict())
    assert all(parameter.grad is None for parameter in net.parameters())


def test_a_resumed_run_keeps_the_precision_it_measured(tiny_config, clips, tmp_path, monkeypatch):
    monkeypatch.setattr("vsodlib.training.run.has_bfloat16", lambda device: True)
    config = replace(CONFIG, steps=2, warmup_steps=1, precision="auto")
    for faster in (True, False):
        monkeypatch.setattr(
            "vsodlib.training.run.seconds_per_step",
            lambda view, images, half, faster=faster: 1.0 + (half != faster),
        )
        train(tiny_config, config, clips, tmp_path, last_step=1 + (not faster), resume=not faster)
        assert checkpoint.read(tmp_path / "last")[1]["precision"] == "bf16"


@pytest.mark.parametrize("bfloat16", [False, True])
def test_a_step_is_timed(tiny_config, bfloat16):
    net = VSODNet(tiny_config)
    assert seconds_per_step(net, torch.rand(2, 3, 32, 32), bfloat16, trials=1) > 0
    assert net.head.weight.grad is not None


def test_frozen_stages_stay_as_they_are(tiny_config, clips, tmp_path):
    config = replace(CONFIG, freeze_batch_norm=True, freeze_stages=2, ema_decay=0)
    torch.manual_seed(CONFIG.seed)
    before = VSODNet(tiny_config).state_dict()
    after = train(tiny_config, config, clips, tmp_path).state_dict()
    frozen = ("encoder.backbone.conv_stem", "encoder.backbone.bn1", "encoder.backbone.blocks.0.")
    frozen += ("encoder.backbone.blocks.1.",)
    for name, tensor in before.items():
        if name.endswith("weight"):
            assert torch.equal(after[name], tensor) == name.startswith(frozen), name


def test_phases_change_batches_and_objective(tiny_config, clips, tmp_path, monkeypatch):
    monkeypatch.setattr("vsodlib.training.log.LOG_EVERY", 1)
    phases = ("0.5 height=48 width=64 frames_per_video=4 contrastive_weight=0",)
    config = replace(CONFIG, phases=phases)
    whole = train(tiny_config, config, clips, tmp_path / "whole")
    assert whole.input_height == 48
    rows = read_log(tmp_path / "whole" / "log.jsonl")
    assert ["contrastive" in row for row in rows] == [True] * 3 + [False] * 3
    batches = TrainBatches(clips, config)
    assert batches[2]["image"].shape == (4, 3, 32, 48)
    assert batches[3]["image"].shape == (4, 3, 48, 64) and batches[3]["group"].tolist() == [0] * 4
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config, config, clips, tmp_path / "parts", on_log=stop_at(4))
    resumed = train(tiny_config, config, clips, tmp_path / "parts", resume=True)
    assert_equal_states(whole.state_dict(), resumed.state_dict())


def test_losses_of_images_and_videos_are_logged_apart(tiny_config, clips, tmp_path, monkeypatch):
    monkeypatch.setattr("vsodlib.training.log.LOG_EVERY", 1)
    images = [FrameDataset("image", [clips.records[i]], clips.sources[i]) for i in (0, 5, 9)]
    data = concat([clips, *images])
    config = replace(CONFIG, image_fraction=0.5, steps=2, warmup_steps=1)
    train(tiny_config, config, data, tmp_path)
    for row in read_log(tmp_path / "log.jsonl"):
        assert row["bce"] == pytest.approx((row["bce_image"] + row["bce_video"]) / 2, rel=1e-3)
    only = replace(CONFIG, steps=2, warmup_steps=1)
    train(tiny_config, only, clips, tmp_path / "clips")
    assert all("bce_image" not in row for row in read_log(tmp_path / "clips" / "log.jsonl"))


def test_a_lost_run_goes_on_from_its_weights(tiny_config, clips, tmp_path):
    train(tiny_config, CONFIG, clips, tmp_path / "lost")
    start, rows = tmp_path / "lost" / "last", []
    train(
        tiny_config,
        replace(CONFIG, checkpoint_every=1),
        clips,
        tmp_path / "next",
        initial=start,
        first_step=4,
        validation=clips,
        on_log=rows.append,
    )
    assert [row["step"] for row in rows if "validation_iou" in row] == [5, 6]
    assert checkpoint.read(tmp_path / "next" / "last")[1]["first_step"] == 4
    assert "first_step" not in checkpoint.read(start)[1]
    with pytest.raises(ValueError, match="of 6 steps cannot go from step 6 to step 6"):
        train(tiny_config, CONFIG, clips, tmp_path / "far", initial=start, first_step=6)
    with pytest.raises(ValueError, match="from step 4 on, not from step 3"):
        config = replace(CONFIG, checkpoint_every=1)
        train(tiny_config, config, clips, tmp_path / "next", resume=True, first_step=3)


class Ticks:
    """A clock of one second per look, and the only process there is."""

    num_processes = 1

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr("vsodlib.training.optimizer.time.perf_counter", lambda: self.now)


def test_minutes_end_in_time(monkeypatch):
    """Ten steps of 6.5 s would end at 65 s: the last that begins ends at 58.5 s."""
    ticks = Ticks(monkeypatch)
    config = replace(CONFIG, steps=100, minutes=1.0, phases=("0.5 height=48",))
    clock, seen = Clock(config), []
    for _, phase in clock.upcoming():
        seen.append((phase, round(clock.position, 2)))
        ticks.now += 6.5
        clock.tick(ticks)
        if clock.over:
            break
    assert clock.step == 9
    assert [phase for phase, _ in seen] == [0] * 5 + [1] * 4
    assert seen[8] == (1, pytest.approx(100 * 52 / 60, abs=0.01))
    resumed = Clock(config, 4, 26.0)
    ticks.now += 6.5
    resumed.tick(ticks)
    assert (resumed.step, resumed.elapsed) == (5, 32.5)


def test_minutes_too_short_for_a_step(monkeypatch):
    ticks = Ticks(monkeypatch)
    clock = Clock(replace(CONFIG, minutes=0.1))
    ticks.now += 7
    with pytest.raises(ValueError, match=r"0.1 minutes are too short for one step, .* 7.0 s"):
        clock.tick(ticks)


def test_minutes_write_a_checkpoint(tiny_config, clips, tmp_path):
    config = replace(CONFIG, steps=100_000, minutes=0.05, checkpoint_every=100_000)
    train(tiny_config, config, clips, tmp_path)
    _, record = checkpoint.read(tmp_path / "last")
    assert 0 < record["step"] < 100_000


SETUP = """
import os, sys
import torch
from torch import nn
from accelerate import PartialState
from dataclasses import replace
from vsodlib.config import ModelConfig, TrainConfig
from vsodlib.data import concat, synthetic_dataset
from vsodlib.training.fit import fit

torch.nn.Dropout.forward = lambda self, x: x  # its noise differs between processes
torch.set_num_threads(1)
clips = synthetic_dataset("train", videos=4, frames=3, height=48, width=72)
images = [synthetic_dataset("train", videos=1, frames=2, height=48, width=72, seed=s)._pick([0])
          for s in range(4)]
data = concat([clips, *images])
config = TrainConfig(
    steps=3, batch_size=8, frames_per_video=3, image_fraction=0.25, height=32, width=48,
    learning_rate=1e-2, encoder_learning_rate=1e-2, warmup_steps=1, freeze_batch_norm=True)
model = ModelConfig("tf_efficientnet_lite0", 16, channels=8, aspp_rates=(1, 2))
"""
TRAIN = """
net = fit(model, config, data, sys.argv[1], pretrained_encoder=False, progress=False)
rank, count = PartialState().process_index, PartialState().num_processes
torch.save(net.state_dict(), f"{sys.argv[1]}/{rank}.pt")
sys.stdout.write(f"{rank}/{count}\\n")  # in one piece: both processes write
"""
TRAIN_UNTIL_STOPPED = """
rank = os.environ["RANK"]
print(rank, os.getpid(), flush=True)
try:
    fit(model, replace(config, steps=100_000), data, sys.argv[1], pretrained_encoder=False,
        progress=False, on_log=lambda row: row["step"] > 10 or print("step", 10, flush=True))
except KeyboardInterrupt as stop:
    print(rank, stop, flush=True)
"""


def launch(script: Path, out: Path, processes: int) -> dict:
    """Arguments of subprocess.run. (`accelerate launch --cpu` would start one process, however
    many it is asked for, unless MPI is installed.)
    """
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    return {
        "args": [sys.executable, *words, str(script), str(out)],
        "env": os.environ | {"ACCELERATE_USE_CPU": "true"},
        "stdout": subprocess.PIPE,
        "text": True,
    }


@pytest.mark.slow
def test_two_processes_equal_one(tmp_path):
    script = tmp_path / "process.py"
    script.write_text(SETUP + TRAIN)
    for processes in (1, 2):
        run = launch(script, tmp_path / str(processes), processes)
        said = subprocess.run(**run, check=True, timeout=600).stdout
        assert sorted(said.split()) == [f"{rank}/{processes}" for rank in range(processes)]
    one = torch.load(tmp_path / "1" / "0.pt")
    torch.manual_seed(0)
    fresh = VSODNet(ModelConfig("tf_efficientnet_lite0", 16, channels=8, aspp_rates=(1, 2)))
    assert not torch.equal(one["head.weight"], fresh.state_dict()["head.weight"])
    for rank in ("0.pt", "1.pt"):
        two = torch.load(tmp_path / "2" / rank)
        for name, tensor in one.items():
            torch.testing.assert_close(tensor, two[name], atol=1e-5, rtol=1e-5, msg=name)


@pytest.mark.slow
def test_a_signal_to_one_process_stops_both_after_the_same_step(tmp_path):
    script, out = tmp_path / "process.py", tmp_path / "run"
    script.write_text(SETUP + TRAIN_UNTIL_STOPPED)
    with subprocess.Popen(**launch(script, out, 2)) as launcher:
        said = dict(launcher.stdout.readline().split() for _ in range(3))
        assert said.keys() == {"0", "1", "step"}
        os.kill(int(said["1"]), signal.SIGTERM)  # the one that does not write the state
        stops = {line for line in launcher.stdout if "Stopped" in line}
    step = torch.load(out / "state.pt")["step"]
    assert 10 <= step < 100_000 and launcher.returncode == 0
    said = f"Stopped after step {step}; resume from {out / 'state.pt'}.\n"
    assert stops == {f"0 {said}", f"1 {said}"}


def test_a_run_on_other_data_is_not_continued(tiny_config, clips, tmp_path):
    two_steps = replace(CONFIG, steps=2, warmup_steps=1)
    train(tiny_config, two_steps, clips, tmp_path)
    fewer = clips.subset(list(clips.videos)[1:])
    with pytest.raises(ValueError, match=r"run on synthetic, 4 videos.* not on synthetic, 3 vid"):
        train(tiny_config, two_steps, fewer, tmp_path, resume=True)
    with pytest.raises(ValueError, match=r"not on synthetic, 4 .* 16 frames, foreground 50; give"):
        train(tiny_config, two_steps, clips, tmp_path, resume=True, facts={"foreground": 50})


def test_a_resumed_run_remembers_what_it_started_from(tiny_config, clips, tmp_path):
    two_steps = replace(CONFIG, steps=2, warmup_steps=1)
    train(tiny_config, two_steps, clips, tmp_path / "first")
    start = tmp_path / "first" / "last"
    train(tiny_config, two_steps, clips, tmp_path / "second", initial=start)
    train(tiny_config, two_steps, clips, tmp_path / "second", resume=True)
    train(tiny_config, two_steps, clips, tmp_path / "first", resume=True, initial=start)
    _, record = checkpoint.read(tmp_path / "second" / "last")
    assert record["initial"]["weights_sha256"] == checkpoint.fingerprint(start)
    assert "initial" not in checkpoint.read(start)[1]


@pytest.mark.parametrize("resume", [False, True])
def test_a_finished_run_without_its_state_is_not_overwritten(tiny_config, clips, tmp_path, resume):
    (tmp_path / "last.safetensors").write_bytes(b"weights")
    (tmp_path / "log.jsonl").write_text("{}")
    with pytest.raises(ValueError, match=r"finished run without state\.pt; name another folder"):
        train(tiny_config, CONFIG, clips, tmp_path, resume=resume)
    assert (tmp_path / "log.jsonl").read_text() == "{}"


def test_no_worker_outlives_the_loop(tiny_config, clips, tmp_path, monkeypatch):
    """A traceback that somebody keeps keeps all it names alive; workers must end nevertheless."""

    def fail(row):
        raise OSError("no more")

    class Broken(FrameDataset):
        def image(self, index):
            raise OSError("no image")

    monkeypatch.setattr("vsodlib.training.log.LOG_EVERY", 2)
    broken = Broken(clips.name, clips.records, clips.sources)
    for data, said in ((clips, "no more"), (broken, "no image")):
        with pytest.raises(OSError, match=said) as kept:
            train(tiny_config, CONFIG, data, tmp_path / said, workers=1, on_log=fail)
        assert kept.tb is not None
        assert multiprocessing.active_children() == []


def test_a_network_of_ones_own_is_trained_and_resumed(tiny_config, clips, tmp_path):
    class Scale(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(channels, 1, 1))

        def forward(self, x):
            return self.scale * x

    def train_own(out, net=None, **options):
        config = replace(CONFIG, steps=2, warmup_steps=0)
        return fit(tiny_config, config, clips, out, progress=False, net=net, **options)

    def own():
        torch.manual_seed(0)
        return VSODNet(tiny_config, self_attention=Scale)

    whole = train_own(tmp_path / "whole", own())
    assert isinstance(whole.self_attention, Scale) and (whole.self_attention.scale != 1).any()
    train_own(tmp_path / "parts", own(), last_step=1)
    with pytest.raises(ValueError, match="other modules of one's own"):
        train_own(tmp_path / "parts", resume=True, pretrained_encoder=False)
    parts = train_own(tmp_path / "parts", own(), resume=True)
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], tensor, rtol=0, atol=0)
    with pytest.raises(ValueError, match="another configuration"):
        fit(replace(tiny_config, channels=16), CONFIG, clips, tmp_path / "no", net=own())
