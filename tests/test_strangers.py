"""Folders, lists, archives and films of strangers: one sentence and exit code 2, nothing written
outside, no more memory than a picture needs.
"""

import json
import os
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch

from vsodlib import VSODNet
from vsodlib.cli.main import main
from vsodlib.config import ModelConfig, TrainConfig
from vsodlib.data import FrameDataset, Storage, download, open_dataset, storage
from vsodlib.files import aside, inside, read_file, unlinked, write_file
from vsodlib.metrics import region_similarity, saliency_scores
from vsodlib.metrics.inputs import check_map
from vsodlib.model import checkpoint
from vsodlib.training import ablations
from vsodlib.training.fit import fit

CONFIG = ModelConfig("tf_efficientnet_lite0", 16, channels=8, aspp_rates=(1, 2))
TRAIN = TrainConfig(steps=4, warmup_steps=1, batch_size=2, frames_per_video=2, height=32, width=48)
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 80 48\n%%EndComments\nshowpage\n"
VIDEO = "synthetic-05000"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Clips in DAVIS's layout, a checkpoint and a finished run, to be copied and spoiled."""
    home = tmp_path_factory.mktemp("made")
    sizes = ["--videos", "2", "--frames", "3", "--height", "48", "--width", "80"]
    assert main(["data", "make-synthetic", "--out", str(home / "clips"), *sizes]) == 0
    record = {"model": CONFIG.to_dict(), "input_height": 32}
    checkpoint.write(home / "net", VSODNet(CONFIG).state_dict(), record)
    return home


@pytest.fixture
def here(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(path: str, change) -> None:
    content = json.loads(Path(path).read_text())
    change(content)
    Path(path).write_text(json.dumps(content))


def every(pattern: str, data: bytes) -> None:
    for path in Path("clips").glob(pattern):
        path.write_bytes(data)


def replaced(path: str, make) -> None:
    Path(path).unlink()
    make(path)


def bomb() -> None:
    """A zip of the clips, one frame of which is 400 MB of nothing."""
    with zipfile.ZipFile("clips.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in Path("clips").rglob("*.*"):
            name = path.relative_to("clips").as_posix()
            with packed.open(name, "w") as member:
                for _ in range(50 if name.endswith(f"{VIDEO}/00001.jpg") else 0):
                    member.write(bytes(8_000_000))
                member.write(path.read_bytes())


FRAME = f"clips/JPEGImages/480p/{VIDEO}/00001.jpg"
LIST = "clips/ImageSets/480p/val.txt"
OUT = f"/JPEGImages/480p/{VIDEO}/../../../../x/0.jpg /Annotations/480p/{VIDEO}/00000.png"
EVALUATE = ["evaluate", "--checkpoint", "net", "--data", "clips", "--save-maps", "maps"]
CHECK = ["data", "check", "clips"]
PACK = ["data", "pack", "clips", "--height", "32", "--out", "packed.zip"]
SCORE = ["score", "clips/Annotations/480p", "--dataset", "davis2016", "--data", "clips"]
LOAD = ["average", "net", "--out", "mean"]
CASES = {
    "EPS": (lambda: every("JPEGImages/480p/*/*.jpg", EPS), EVALUATE, "00000.jpg is not a pict"),
    "pipe": (lambda: replaced(FRAME, os.mkfifo), EVALUATE, "00001.jpg does not exist"),
    "device": (
        lambda: replaced(FRAME, lambda path: os.symlink("/dev/zero", path)),
        EVALUATE,
        "00001.jpg does not exist",
    ),
    "endless": (lambda: os.truncate(FRAME, 1 << 40), EVALUATE, "00001.jpg has 1099512 MB; at most"),
    "zip bomb": (
        bomb,
        ["evaluate", "--checkpoint", "net", "--data", "clips.zip"],
        "00001.jpg has 400 MB; at most",
    ),
    "list": (lambda: Path(LIST).write_text(OUT), EVALUATE, "leads out of clips"),
    "list, score": (lambda: Path(LIST).write_text(OUT), SCORE, "leads out of clips"),
    "list, pack": (lambda: Path(LIST).write_text(OUT), PACK, "leads out of clips"),
    "frame number": (
        lambda: Path(LIST).write_text(
            "".join(
                f"JPEGImages/480p/{VIDEO}/{n}.jpg Annotations/480p/{VIDEO}/00000.png\n"
                for n in ("00000", "99999999999")
            )
        ),
        CHECK,
        "problems in clips",
    ),
    "name": (
        lambda: None,
        ["publish", "net", "--name", "../net", "--scores", "scores.json"],
        "--name '../net' must be letters",
    ),
    "backbone": (
        lambda: edit("net.json", lambda r: r["model"].update(backbone="hf-hub:timm/resnet18")),
        EVALUATE,
        "net: timm has no backbone 'hf-hub:timm/resnet18'",
    ),
    "height": (
        lambda: edit("net.json", lambda r: r.update(input_height=10**9)),
        LOAD,
        "net.json describes no network: input_height must be 1 to 8192",
    ),
    "no height": (
        lambda: edit("net.json", lambda r: r.update(input_height=0)),
        LOAD,
        "net.json describes no network: input_height must be 1 to 8192",
    ),
    "type": (
        lambda: edit("net.json", lambda r: r["model"].update(channels="8")),
        LOAD,
        "net.json describes no network: channels must be int, not '8'",
    ),
    "nested": (lambda: Path("net.json").write_text("[" * 9**6), LOAD, "net.json is not readable"),
    "scores": (
        lambda: Path("scores.json").write_text("[]"),
        ["publish", "net", "--name", "new", "--scores", "scores.json"],
        "scores.json must hold a JSON object, not list",
    ),
    "no table": (
        lambda: None,
        ["ablate", "table3", "--out", "runs", "--data", "clips", "--csv", "x.json"],
        "--csv x.json: a JSON of this name goes beside it",
    ),
    "into a pipe": (
        lambda: os.mkfifo("pipe"),
        [*EVALUATE, "--json", "pipe"],
        "pipe cannot be written",
    ),
    "into /dev": (lambda: None, [*EVALUATE, "--json", "/dev/stdout"], "/dev/stdout cannot be wr"),
    "tensorboard": (
        lambda: (os.mkdir("run"), os.symlink("../clips", "run/tensorboard")),
        ["train", "--data", "clips", "--out", "run", "--steps", "2", "--tensorboard"],
        "run/tensorboard is a link; nothing is written through it",
    ),
    "link to itself": (
        lambda: (
            os.mkdir("root"),
            os.symlink("DAVIS", "root/DAVIS"),
            Path("root/DAVIS-data.zip").touch(),
        ),
        ["data", "fetch", "davis2016", "--data", "root"],
        "root/DAVIS",
    ),
    "initial and resume": (
        lambda: None,
        ["train", "--data", "clips", "--out", "run", "--resume", "--initial", "net"],
        "--initial begins a new run and --resume goes on with one",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_sentence_and_exit_code_2(name, here, monkeypatch, capsys):
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: pytest.fail("network"))
    spoil, words, said = CASES[name]
    spoil()
    before = set(here.parent.glob("*"))
    capsys.readouterr()
    assert main(words) == 2
    error = capsys.readouterr().err
    (line,) = [line for line in error.splitlines() if line.startswith("vsod: ")]
    assert said in line
    assert "Traceback" not in error
    assert set(here.parent.glob("*")) == before


@pytest.mark.parametrize(
    "path",
    ["../a", "a/../../b", "/a", "\\a", "a\\..\\..\\b", "C:a", "C:/a", "//host/a", "a\0b"],
)
def test_paths_that_lead_out(path, tmp_path):
    with pytest.raises(ValueError, match="leads out of"):
        inside(tmp_path, path)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("a/x", "")
        packed.filelist[0].filename = path.replace("\0", "/../../")
    with pytest.raises(ValueError, match="leads out of"):
        Storage(tmp_path / "a.zip")
    assert inside(tmp_path, "a/b..c/.d") == tmp_path / "a/b..c/.d"


def test_nothing_is_written_through_links(here):
    precious = here / "precious"
    precious.write_text("kept")
    folder = here / "elsewhere"
    folder.mkdir()
    (here / "run").mkdir()
    for name in ("run/log.jsonl", "run/.state.pt.part", "run/.last.json.part"):
        (here / name).symlink_to(precious)
    (here / ".a.part").symlink_to(precious)
    write_file(here / "a", b"new")
    fit(CONFIG, replace(TRAIN, steps=2), clips(), here / "run", pretrained_encoder=False)
    assert precious.read_text() == "kept"
    assert (here / "run" / "log.jsonl").is_file() and not (here / "run/log.jsonl").is_symlink()
    (here / "maps").mkdir()
    (here / "maps" / "bear").symlink_to(folder)
    with pytest.raises(ValueError, match="bear is a link"):
        unlinked(here / "maps", "bear/0.png")
    (here / "linked").symlink_to(here / "maps")  # what the user names may be a link
    assert unlinked(here / "linked", "camel/0.png") == here / "linked/camel/0.png"


def test_a_packed_list_holds_nothing_but_its_frames(here):
    (here / "secret").write_text("secret\n")
    (here / "clips" / "ImageSets" / "a.txt").symlink_to(here / "secret")
    assert main(PACK) == 0
    with zipfile.ZipFile("packed.zip") as packed:
        assert not any(b"secret" in packed.read(name) for name in packed.namelist())


def test_an_interrupted_writing_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), aside(tmp_path / "a") as part:
        part.write_text("half")
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_files_without_end(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(bytes(100))
    assert len(read_file(tmp_path / "a", 100)) == 100
    with pytest.raises(ValueError, match="a has 0 MB; at most"):
        read_file(tmp_path / "a", 99)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as packed:
        packed.writestr("x/a", bytes(10**6))
    with pytest.raises(ValueError, match="neither by deflate"):
        Storage(tmp_path / "a.zip").read("x/a")


def test_a_zip_that_lies_about_a_size(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a", bytes(10**6))
        packed.filelist[0].file_size = 10
    with pytest.raises(ValueError, match="cannot be read"):
        Storage(tmp_path / "a.zip").read("a")


def test_links_that_lead_around_are_walked_once(tmp_path):
    root = tmp_path / "a" / "data"
    (root / "v" / "Imgs").mkdir(parents=True)
    (root / "v" / "Imgs" / "0.jpg").touch()
    for number, target in enumerate((".", "..", "../..", "../../..", "/")):
        (root / "v" / "Imgs" / f"up{number}").symlink_to(target)
        (root / "v" / f"up{number}").symlink_to(target)
    (root / "v" / "self").symlink_to("self")
    (root / "w").symlink_to("v")  # the same frames under another name
    found = Storage(root).list("")
    assert found == ["v/Imgs/0.jpg", "v/self", "w/Imgs/0.jpg", "w/self"]
    assert Storage(root).list("v/Imgs") == ["v/Imgs/0.jpg"]


@pytest.fixture
def deep(tmp_path, monkeypatch):
    """A tree of 2000 folders; shutil.rmtree would exceed Python's recursion."""
    monkeypatch.chdir(tmp_path)
    for _ in range(2000):
        os.mkdir("d")
        os.chdir("d")
    yield tmp_path
    for _ in range(2000):
        os.chdir("..")
        os.rmdir("d")


def test_deep_trees(deep):
    (deep / "x").touch()
    assert Storage(deep).list("") == ["x"]


def test_links_that_fan_out(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "MOST_FOLDERS", 100)
    for n in range(20):
        (tmp_path / f"f{n}").mkdir()
    for n in range(19):
        for name in "ab":
            (tmp_path / f"f{n}" / name).symlink_to(f"../f{n + 1}")
    with pytest.raises(ValueError, match="more than 100 folders"):
        Storage(tmp_path).list("f0")


def clips() -> FrameDataset:
    return open_dataset("davis2016", "train", "clips").in_memory()


class Fatal:
    """Frames whose `count`th reading ends the process that loads them, or raises."""

    storage = None

    def __init__(self, inner, count, fault=None, here=False):
        self.inner, self.left, self.fault = inner, count, fault
        self.process = None if here else os.getpid()

    def image(self, record):
        self.left -= 1
        if self.left < 0 and self.process != os.getpid():
            if self.fault:
                raise self.fault
            os.kill(os.getpid(), 9)
        return self.inner.image(record)

    def mask(self, record):
        return self.inner.mask(record)


def run(source, out, **options):
    data = clips()
    data = FrameDataset("clips", data.records, source(data.sources[0]))
    config = replace(TRAIN, checkpoint_every=100)
    return fit(CONFIG, config, data, out, pretrained_encoder=False, progress=False, **options)


def test_a_killed_loading_process_loses_nothing(here):
    with pytest.raises(ChildProcessError, match="was killed, most often for want of memory"):
        run(lambda inner: Fatal(inner, 5), "cut", workers=1)
    assert 1 <= torch.load("cut/state.pt")["step"] < 4
    resumed = run(lambda inner: inner, "cut", resume=True).state_dict()
    whole = run(lambda inner: inner, "whole").state_dict()
    assert all(torch.equal(tensor, whole[name]) for name, tensor in resumed.items())


def test_a_damaged_frame_met_on_the_way_loses_nothing(here):
    """Whoever trains on frames that are not in memory meets it after some steps."""
    with pytest.raises(ValueError, match=r"0\.jpg is empty"):
        run(lambda inner: Fatal(inner, 5, ValueError("0.jpg is empty."), here=True), "cut")
    assert torch.load("cut/state.pt")["step"] == 2


def test_held_out_frames_of_several_sizes_are_refused_before_training(here):
    frames = clips()
    for key in list(frames.sources[0].images)[:1]:
        frames.sources[0].images[key] = np.zeros((24, 40, 3), np.uint8)
    with pytest.raises(ValueError, match="all frames of a video must have one size"):
        run(lambda inner: inner, "cut", validation=frames)
    with pytest.raises(ValueError, match="all frames of a video must have one size"):
        ablations.run([], [0], clips(), {"": frames}, "cut")
    assert not Path("cut").exists()


def test_what_a_loading_process_raises_is_one_line(here):
    with pytest.raises(ValueError) as error:
        run(lambda inner: Fatal(inner, 0, ValueError("0.jpg is empty.")), "cut", workers=1)
    assert str(error.value) == "0.jpg is empty."


def test_a_full_disk_while_logging_names_the_log_and_saves_the_state(here, monkeypatch):
    monkeypatch.setattr("vsodlib.training.log.LOG_EVERY", 3)
    opened = Path.open

    def full(path, mode="r", **options):
        if path.name == "log.jsonl" and mode == "a":
            raise OSError(28, "No space left on device")
        return opened(path, mode, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*log\.jsonl'"):
        run(lambda inner: inner, "cut")
    assert torch.load("cut/state.pt")["step"] == 3
    monkeypatch.setattr(Path, "open", opened)
    resumed = run(lambda inner: inner, "cut", resume=True).state_dict()
    whole = run(lambda inner: inner, "whole").state_dict()
    assert all(torch.equal(tensor, whole[name]) for name, tensor in resumed.items())


def drop_moment(state):
    del state["optimizer"]["state"][0]["momentum_buffer"]


STATES = {
    "step 1e9": lambda s: s.update(step=1e9),
    "step beyond the end": lambda s: s.update(step=10**9),
    "step text": lambda s: s.update(step="1"),
    "no step": lambda s: s.pop("step"),
    "best nan": lambda s: s.update(best=float("nan")),
    "net list": lambda s: s.update(net=[]),
    "best beyond 1": lambda s: s.update(best=5.0),
    "net complex": lambda s: s["net"].update({"head.bias": torch.zeros(1, dtype=torch.complex64)}),
    "net shape": lambda s: s["net"].update({"head.bias": torch.zeros(3)}),
    "net empty": lambda s: s["net"].clear(),
    "config text": lambda s: s["config"].update(steps="4"),
    "record text": lambda s: s.update(record="x"),
    "start list": lambda s: s["record"].update(initial=[1]),
    "start tensor": lambda s: s["record"].update(initial={"x": torch.zeros(1)}),
    "first step text": lambda s: s["record"].update(first_step="x"),
    "first step behind": lambda s: s["record"].update(first_step=3),
    "first step negative": lambda s: s["record"].update(first_step=-1),
    "updates negative": lambda s: s.update(updates=-10),
    "clock negative": lambda s: s.update(elapsed=-1.0),
    "net nan": lambda s: s["net"]["head.bias"].fill_(torch.nan),
    "moment sparse": lambda s: s["optimizer"]["state"][0].update(
        momentum_buffer=s["optimizer"]["state"][0]["momentum_buffer"].to_sparse()
    ),
    "optimizer empty": lambda s: s.update(optimizer={}),
    "moments gone": lambda s: s["optimizer"]["state"].clear(),
    "moment gone": drop_moment,
    "moment shape": lambda s: s["optimizer"]["state"][0].update(momentum_buffer=torch.zeros(7)),
    "moment text": lambda s: s["optimizer"]["state"][0].update(momentum_buffer="x"),
    "moments of others": lambda s: s["optimizer"]["state"].update({99_999: {}}),
}


@pytest.fixture(scope="module")
def stopped(made, tmp_path_factory):
    """The folder of a run of four steps, stopped after two."""
    out = tmp_path_factory.mktemp("stopped")
    data = open_dataset("davis2016", "train", made / "clips").in_memory()

    def stop(row):
        raise OSError("stop")

    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="stop"):
        patch.setattr("vsodlib.training.log.LOG_EVERY", 2)
        fit(CONFIG, TRAIN, data, out, pretrained_encoder=False, progress=False, on_log=stop)
    return out


@pytest.mark.parametrize("name", STATES)
def test_odd_states_are_refused(name, here, stopped):
    shutil.copytree(stopped, "run")
    state = torch.load("run/state.pt")
    assert state["step"] == 2
    STATES[name](state)
    torch.save(state, "run/state.pt")
    with pytest.raises(ValueError, match=r"run/state\.pt (is not a readable|does not fit)"):
        fit(CONFIG, TRAIN, clips(), "run", resume=True, pretrained_encoder=False, progress=False)


def test_settings_inside_the_optimizer_do_not_count(here, stopped):
    """They follow from the configuration: what a stranger wrote there is not used."""
    shutil.copytree(stopped, "run")
    state = torch.load("run/state.pt")
    state["optimizer"]["param_groups"] = [{"peak": "x"}]
    torch.save(state, "run/state.pt")
    options = {"pretrained_encoder": False, "progress": False}
    resumed = fit(CONFIG, TRAIN, clips(), "run", resume=True, **options).state_dict()
    whole = fit(CONFIG, TRAIN, clips(), "whole", **options).state_dict()
    assert all(torch.equal(tensor, whole[name]) for name, tensor in resumed.items())


def test_of_two_fetches_one_works_and_the_other_waits(tmp_path, monkeypatch, capsys):
    """The set appears once, and the second finds it."""
    source = replace(download.SOURCES[0], urls=("http://home/a.zip",), contents=("JPEGImages",))
    monkeypatch.setattr(download, "SOURCES", (source,))
    asked = []

    def slow(url, archive, progress):
        asked.append(url)
        second.start()
        second.join(1)
        assert second.is_alive()
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr("DAVIS/JPEGImages/0.jpg", "x")

    monkeypatch.setattr(download, "download", slow)
    found = []
    second = Thread(target=lambda: found.append(download.fetch("davis2016", tmp_path, False)))
    download.fetch("davis2016", tmp_path, False)
    second.join()
    assert found == [tmp_path / "DAVIS"] and len(asked) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["DAVIS", "checksums.json"]
    assert "waiting for it" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [complex, object, "U1", "M8[s]"])
def test_arrays_without_numbers(kind):
    odd, plain = np.zeros((4, 4), kind), np.zeros((4, 4), np.uint8)
    for measure in (saliency_scores, region_similarity):
        for pair in ((odd, plain), (plain, odd)):
            with pytest.raises(ValueError, match="must hold real numbers, got"):
                measure(*pair)


def test_half_floats_of_torch_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match=r"must be a numpy array \(.*BFloat16\)"):
        check_map(torch.zeros(4, 4, dtype=torch.bfloat16))
