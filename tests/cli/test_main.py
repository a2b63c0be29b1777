"""`vsod`: every command does its work, and every mistake ends in one sentence and exit code 2."""

import json
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import cv2
import numpy as np
import pytest
import torch
from small_clips import clip

from vsodlib import VSODNet, provenance
from vsodlib.cli.main import build_parser, main
from vsodlib.data.video_files import write_video
from vsodlib.model import checkpoint

TRAIN = [
    *("--steps", "2", "--warmup-steps", "1", "--batch-size", "2", "--frames-per-video", "2"),
    *("--height", "32", "--width", "48", "--image-fraction", "0"),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A data root with four tiny synthetic videos in DAVIS layout."""
    out = tmp_path_factory.mktemp("data") / "clips"
    sizes = ["--videos", "4", "--frames", "4", "--height", "48", "--width", "80"]
    assert main(["data", "make-synthetic", "--out", str(out), *sizes]) == 0
    return out


@pytest.fixture
def net(tmp_path, tiny_config):
    path = tmp_path / "net"
    checkpoint.write(
        path,
        VSODNet(tiny_config).state_dict(),
        {"model": tiny_config.to_dict(), "input_height": 32},
    )
    return str(path)


def sentence(capsys) -> str:
    """What went to standard error: one line that begins with the program's name."""
    error = capsys.readouterr().err.strip()
    lines = [line for line in error.splitlines() if line.startswith("vsod: ")]
    assert len(lines) == 1, error
    assert "Traceback" not in error
    return lines[0]


def commands(parser, path=()):
    """Every command path of a parser: ("data", "list"), ("train",), ..."""
    found = []
    for action in parser._subparsers._group_actions if parser._subparsers else []:
        for name, child in action.choices.items():
            found += commands(child, (*path, name)) or [(*path, name)]
    return found


@pytest.mark.parametrize("path", commands(build_parser()), ids=" ".join)
def test_every_command_has_help(path, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*path, "--help"])
    assert stop.value.code == 0
    assert "usage: vsod " + " ".join(path) in capsys.readouterr().out


def test_the_program_is_installed():
    words = [Path(sys.executable).with_name("vsod"), "data", "list", "--data", "nowhere"]
    run = subprocess.run(words, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "davis2016" in run.stdout


def test_train_evaluate_predict(root, tmp_path, capsys):
    """The whole way of a user, on clips made a moment before."""
    run = tmp_path / "run"
    words = ["--datasets", "davis2016", "--data", str(root), "--out", str(run), *TRAIN]
    assert main(["train", *words, "--random-weights", "--hold-out", "1"]) == 0
    assert (run / "best.json").exists()

    scores_path = tmp_path / "scores.json"
    words = ["--checkpoint", str(run / "last"), "--data", str(root), "--json", str(scores_path)]
    assert main(["evaluate", *words, "--save-maps", str(tmp_path / "maps")]) == 0
    scores = json.loads(scores_path.read_text())
    assert scores["record"]["height"] == 32
    assert scores["record"]["weights_sha256"] == checkpoint.fingerprint(run / "last")
    assert scores["protocol"]["name"] == "davis2016"

    again_path = tmp_path / "again.json"
    val = sorted(scores["per_sequence"])
    truth = tmp_path / "truth"
    for name in val:
        copytree(root / "Annotations" / "480p" / name, truth / name)
    words = [str(tmp_path / "maps"), "--gt", str(truth), "--protocol", "davis2016"]
    assert main(["score", *words, "--json", str(again_path), "--per-frame"]) == 0
    again = json.loads(again_path.read_text())
    assert "per_frame" not in scores["per_sequence"][val[0]]
    assert len(again["per_sequence"][val[0]]["per_frame"]["J"]) == 2  # without the ends
    assert again["mae"] == pytest.approx(scores["mae"], abs=0.5 / 255)  # 8-bit files
    assert again["J"]["mean"] == pytest.approx(scores["J"]["mean"], abs=0.02)

    source = root / "JPEGImages" / "480p" / val[0]
    words = [str(source), "--checkpoint", str(run / "last"), "--out", str(tmp_path / "out")]
    assert main(["predict", *words]) == 0
    assert len(list((tmp_path / "out" / "maps").glob("*.png"))) == 4
    assert (tmp_path / "out" / "overlay.webm").exists()


def test_publish_keeps_the_scores(root, net, tmp_path, monkeypatch, capsys):
    scores = tmp_path / "scores.json"
    words = ["--checkpoint", net, "--data", str(root), "--height", "48", "--json", str(scores)]
    assert main(["evaluate", *words]) == 0
    monkeypatch.setattr(provenance, "REPOSITORY", tmp_path)
    assert main(["publish", net, "--name", "good", "--scores", str(scores)]) == 0
    _, record = checkpoint.read("good")
    foreign = tmp_path / "foreign.json"
    foreign.write_text(scores.read_text().replace(checkpoint.fingerprint(net), "0" * 64))
    capsys.readouterr()
    assert main(["publish", net, "--name", "good", "--scores", str(foreign)]) == 2
    assert "foreign.json holds scores of other weights than" in sentence(capsys)
    assert record["scores"]["J"] == json.loads(scores.read_text())["J"]
    assert record["input_height"] == record["scores"]["height"] == 48
    scores.write_text("{}")
    capsys.readouterr()
    assert main(["publish", net, "--name", "good", "--scores", str(scores)]) == 2
    assert "scores.json was not written by" in sentence(capsys)


def test_average_writes_a_checkpoint(net, tmp_path, capsys):
    tensors, record = checkpoint.read(net)
    other = {k: 3 * t if t.is_floating_point() else t for k, t in tensors.items()}
    checkpoint.write(tmp_path / "other", other, record)
    words = [net, str(tmp_path / "other"), "--out", str(tmp_path / "mean")]
    assert main(["average", *words]) == 0
    for name, tensor in checkpoint.read(tmp_path / "mean")[0].items():
        factor = 2 if tensor.is_floating_point() else 1
        torch.testing.assert_close(tensor, factor * tensors[name], rtol=2e-3, atol=1e-6)
    capsys.readouterr()
    assert main(["average", net, "nowhere", "--out", str(tmp_path / "mean")]) == 2
    assert "nowhere" in sentence(capsys)


def test_pack_is_taken_in_place_of_the_folder(root, net, tmp_path, capsys):
    packed = tmp_path / "small.zip"
    assert main(["data", "pack", str(root), "--height", "32", "--out", str(packed)]) == 0
    assert main(["data", "check", str(packed)]) == 0
    assert "No problems" in capsys.readouterr().out
    assert main(["evaluate", "--checkpoint", net, "--data", str(packed)]) == 0


def test_predict_on_a_video_file(net, tmp_path):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for value in range(5):
        writer.write(np.full((48, 64, 3), 40 * value, np.uint8))
    writer.release()
    out = tmp_path / "out"
    assert main(["predict", str(path), "--checkpoint", net, "--out", str(out), "--flip"]) == 0
    assert len(list((out / "maps").glob("*.png"))) == 5


def test_resume_of_a_finished_run(root, tmp_path):
    words = ["train", "--data", str(root), "--out", str(tmp_path / "run"), "--random-weights"]
    assert main([*words, *TRAIN]) == 0
    assert main([*words, *TRAIN, "--resume"]) == 0


def test_ctrl_c_has_its_own_exit_code(monkeypatch, capsys, root):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("vsodlib.data.check.check", interrupted)
    assert main(["data", "check", str(root)]) == 130
    assert sentence(capsys) == "vsod: Stopped."


def test_debug_shows_the_traceback(monkeypatch):
    monkeypatch.setenv("VSOD_DEBUG", "1")
    with pytest.raises(FileNotFoundError):
        main(["data", "check", "nowhere"])


class TestBadInput:
    """The list of the issue, one by one."""

    def test_missing_data_root(self, tmp_path, capsys):
        words = ["--data", str(tmp_path / "none"), "--out", str(tmp_path / "run")]
        assert main(["train", *words]) == 2
        assert "none" in sentence(capsys)

    def test_empty_folder(self, tmp_path, capsys, net):
        (tmp_path / "empty").mkdir()
        assert main(["data", "check", str(tmp_path / "empty")]) == 2
        assert f"{tmp_path / 'empty'} " in sentence(capsys)
        words = [str(tmp_path / "empty"), "--checkpoint", net, "--out", str(tmp_path / "out")]
        assert main(["predict", *words]) == 2
        assert f"{tmp_path / 'empty'} " in sentence(capsys)

    @pytest.fixture
    def broken(self, tmp_path):
        """Clips of one's own, to be damaged."""
        out = tmp_path / "clips"
        sizes = ["--videos", "2", "--frames", "3", "--height", "48", "--width", "80"]
        assert main(["data", "make-synthetic", "--out", str(out), *sizes]) == 0
        return out

    def train(self, root, tmp_path):
        return main(["train", "--data", str(root), "--out", str(tmp_path / "run"), *TRAIN])

    def test_frames_without_masks(self, broken, tmp_path, capsys):
        for path in broken.glob("Annotations/480p/*/*.png"):
            path.unlink()
        assert self.train(broken, tmp_path) == 2
        missing = "Annotations/480p/synthetic-00000/00000.png does not exist (3 of 6"
        assert missing in sentence(capsys)

    def test_mask_of_another_size(self, broken, tmp_path, capsys):
        for path in broken.glob("Annotations/480p/*/00001.png"):
            cv2.imwrite(str(path), np.zeros((10, 10), np.uint8))
        assert self.train(broken, tmp_path) == 2
        said = sentence(capsys)
        assert "00001.png is 10x10" in said
        assert "80x48" in said

    def test_truncated_jpeg(self, broken, tmp_path, capsys):
        for path in broken.glob("JPEGImages/480p/*/00001.jpg"):
            path.write_bytes(path.read_bytes()[:400])
        assert self.train(broken, tmp_path) == 2
        assert "00001.jpg" in sentence(capsys)
        assert main(["data", "check", str(broken)]) == 2
        captured = capsys.readouterr()
        assert captured.out.count("00001.jpg") >= 2  # all at once, not only the first

    def test_video_without_frames(self, tmp_path, capsys, net):
        path = tmp_path / "nothing.mp4"
        path.write_bytes(b"")
        words = [str(path), "--checkpoint", net, "--out", str(tmp_path / "out")]
        assert main(["predict", *words]) == 2
        assert "nothing.mp4" in sentence(capsys)

    def test_missing_video(self, tmp_path, capsys, net):
        words = ["no.mp4", "--checkpoint", net, "--out", str(tmp_path / "out")]
        assert main(["predict", *words]) == 2
        assert "no.mp4" in sentence(capsys)

    def test_address_on_a_network(self, capsys, net):
        assert main(["predict", "https://example.org/a.mp4", "--checkpoint", net]) == 2
        assert "is an address on a network; download it" in sentence(capsys)

    def test_film_cut_off_exits_with_3_and_keeps_what_is_before(self, tmp_path, capsys, net):
        path = tmp_path / "clip.webm"
        write_video(path, clip(40), 24)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(SystemExit) as stopped:
            main(["predict", str(path), "--checkpoint", net, "--no-overlay", "--height", "32"])
        assert stopped.value.code == 3
        assert "clip.webm breaks off" in capsys.readouterr().err
        assert len(list((tmp_path / "clip-saliency" / "maps").iterdir())) > 3

    def test_one_bad_source_among_others(self, tmp_path, capsys, net):
        (tmp_path / "a.mp4").write_text("no film")
        write_video(tmp_path / "b.webm", clip(3), 24)
        words = ["predict", str(tmp_path / "a.mp4"), str(tmp_path / "b.webm")]
        words += ["--checkpoint", net, "--out", str(tmp_path / "out"), "--height", "32"]
        with pytest.raises(SystemExit) as stopped:
            main([*words, "--cutout", "--background", "blur", "--sheet", "--bf16"])
        assert stopped.value.code == 2
        assert "a.mp4 is not a film" in capsys.readouterr().err
        made = {path.name for path in (tmp_path / "out" / "b").iterdir()}
        assert made == {
            *["background.webm", "cutout.webm", "maps", "overlay.webm", "run.json", "sheet.png"]
        }

    @pytest.mark.parametrize("damage", ["weights", "record", "absent"])
    def test_checkpoint(self, net, damage, root, capsys):
        if damage == "weights":
            with open(net + ".safetensors", "wb") as file:
                file.write(b"PK\x03\x04 something else")
        elif damage == "record":
            with open(net + ".json", "w") as file:
                file.write('{"made by": "somebody"}')
        name = net if damage != "absent" else "nobody-knows"
        assert main(["evaluate", "--checkpoint", name, "--data", str(root)]) == 2
        said = {
            "weights": "net.safetensors is not a readable",
            "record": "net.json does not describe",
            "absent": "no checkpoint 'nobody-knows'",
        }
        assert said[damage] in sentence(capsys)

    def test_config_that_contradicts_itself(self, root, tmp_path, capsys):
        words = ["--data", str(root), "--out", str(tmp_path / "run"), *TRAIN]
        assert main(["train", *words, "--frames-per-video", "3"]) == 2
        assert "frames_per_video (3) must divide" in sentence(capsys)

    def test_hold_out_that_leaves_nothing(self, root, tmp_path, capsys):
        words = ["--data", str(root), "--out", str(tmp_path / "run"), *TRAIN]
        assert main(["train", *words, "--hold-out", "9"]) == 2
        assert "--hold-out 9" in sentence(capsys)

    def test_no_space(self, root, net, tmp_path, capsys, monkeypatch):
        """What was written before the disk was full stays."""
        written = []
        real = Path.write_bytes

        def full_after_two(path, data):
            if len(written) == 2:
                raise OSError(28, "No space left on device", str(path))
            written.append(path)
            return real(path, data)

        maps = tmp_path / "maps"
        monkeypatch.setattr(Path, "write_bytes", full_after_two)
        words = ["--checkpoint", net, "--data", str(root), "--save-maps", str(maps)]
        assert main(["evaluate", *words]) == 2
        assert "No space left on device" in sentence(capsys)
        assert len(list(maps.glob("*/*.png"))) == 2

    def test_device_that_is_not_there(self, root, net, capsys):
        assert (
            main(["evaluate", "--checkpoint", net, "--data", str(root), "--device", "mtia:7"]) == 2
        )
        assert "mtia:7" in sentence(capsys)


@pytest.mark.parametrize(
    "command",
    [
        ["embed", "--checkpoint", "lite-davis", "--out"],  # it writes folder.npz
        ["evaluate", "--checkpoint", "lite-davis", "--json"],
        ["ablate", "table4", "--out", "runs", "--csv"],
    ],
    ids=lambda command: command[0],
)
def test_an_unwritable_place_is_met_before_the_work(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    taken = "folder.npz" if command[0] == "embed" else "folder"
    (tmp_path / taken).mkdir()
    assert main([*command, "folder"]) == 2
    assert f"{taken} cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        (["train", "--out", "o", "--learning-rate", "nan"], "a number from 0 on, not 'nan'"),
        (["train", "--out", "o", "--iou-weight", "-1"], "a number from 0 on, not '-1'"),
        (["train", "--out", "o", "--clip-gradient", "lots"], "a number from 0 on, not 'lots'"),
        (["train", "--out", "o", "--hold-out", "-1"], "a whole number from 0 on, not '-1'"),
        (["ablate", "table3", "--out", "o", "--seeds", "-1"], "a whole number from 0 on"),
        (["evaluate", "--checkpoint", "c", "--height", "0"], "a whole number from 1 on, not '0'"),
        (["predict", "v", "--out", "o", "--checkpoint", "c", "--height", "-5"], "from 1 on"),
        (["embed", "--out", "o", "--checkpoint", "c", "--batch-size", "0"], "from 1 on, not '0'"),
        (["data", "make-synthetic", "--out", "o", "--seed", "-1"], "a whole number from 0 on"),
    ],
)
def test_numbers_that_mean_nothing(command, fault, capsys):
    with pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code == 2
    assert fault in capsys.readouterr().err


def test_help_does_not_load_torch():
    code = "import sys; from vsodlib.cli.main import build_parser; build_parser().format_help(); "
    code += "print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout == "False\n"


def test_head_may_close_the_pipe(root):
    """As in `vsod data check ROOT | head -1`; buffered, it shows at the end."""
    words = [sys.executable, "-m", "vsodlib.cli.main", "data", "list"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_short_memory_is_one_sentence(monkeypatch, capsys, root):
    def short(*args):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr("vsodlib.data.check.check", short)
    assert main(["data", "check", str(root)]) == 2
    assert sentence(capsys).endswith("2.00 GiB. Memory is short: use smaller batches or frames.")


def test_scores_are_shown_where_they_cannot_be_written(root, tmp_path, monkeypatch, capsys):
    """And a file of earlier scores stays whole."""
    out, truth = tmp_path / "scores.json", root / "Annotations" / "480p"
    out.write_text("earlier")

    def full(path, data):
        open(path, "wb").close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert main(["score", str(truth), "--gt", str(truth), "--json", str(out)]) == 2
    found = capsys.readouterr()
    assert f"No space left on device: '{out}'" in found.err
    assert "all" in found.out
    assert out.read_text() == "earlier"


def test_maps_of_a_network_trained_further_are_not_kept(root, net, tmp_path, capsys):
    source = next((root / "JPEGImages" / "480p").iterdir())
    words = ["predict", str(source), "--checkpoint", net, "--out", str(tmp_path / "out")]
    assert main([*words, "--no-overlay"]) == 0
    tensors, record = checkpoint.read(net)
    checkpoint.write(net, {k: t + 1 for k, t in tensors.items()}, record)
    capsys.readouterr()
    assert main([*words, "--no-overlay"]) == 2
    assert "maps of another run (predictor weights" in sentence(capsys)


def test_pack_of_what_lies_on_no_disk(root, tmp_path, capsys):
    words = ["data", "pack", str(root), "--height", "32", "--out", str(tmp_path / "a.zip")]
    assert main([*words, "--name", "synthetic"]) == 2
    assert "'synthetic' cannot be packed; choose one of davis2016" in sentence(capsys)


def test_a_full_disk_is_named(tmp_path, monkeypatch, capsys):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    out = tmp_path / "clips"
    words = ["data", "make-synthetic", "--out", str(out), "--videos", "2", "--frames", "1"]
    assert main(words) == 2
    assert f"No space left on device: '{out}'" in sentence(capsys)


@pytest.fixture
def maps(root, tmp_path):
    """Blurred and moved masks of the synthetic videos, in two qualities, and the true masks."""
    truth = root / "Annotations" / "480p"
    for name, shift in (("near", 1), ("far", 9)):
        for path in sorted(truth.glob("*/*.png")):
            out = tmp_path / name / path.parent.name / path.name
            out.parent.mkdir(parents=True, exist_ok=True)
            mask = cv2.GaussianBlur(np.roll(cv2.imread(str(path), 0), shift, 1), (0, 0), 1)
            cv2.imwrite(str(out), mask)
    return tmp_path, truth


def test_score_measures_what_is_asked(maps, capsys):
    folder, truth = maps
    out = folder / "scores.json"
    words = ["score", str(folder / "near"), "--gt", str(truth), "--json", str(out)]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["J", "F", "maxF", "meanF", "S", "E", "MAE"]
    scores = json.loads(out.read_text())
    assert "T" not in scores
    found = {line.split()[0]: line.split() for line in lines[2:]}
    assert float(found["all"][1]) == pytest.approx(scores["J"]["mean"], abs=5e-4)
    low, high = scores["intervals"]["J"]["mean"]
    assert float(found["from"][2]) == pytest.approx(low, abs=5e-4)
    assert float(found["to"][2]) == pytest.approx(high, abs=5e-4)
    assert main([*words, "--all", "--workers", "1"]) == 0
    header = capsys.readouterr().out.splitlines()[1].split()
    assert header[-3:] == ["wF", "T", "C"]
    assert {"weighted_f", "T", "consistency"} <= json.loads(out.read_text()).keys()
    assert main([*words, "--measures", "mae", "adaptive_f"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["adaptive_f", "MAE"]
    assert json.loads(out.read_text())["measures"] == ["adaptive_f", "mae"]
    assert main([*words, "--measures", "?"]) == 2
    assert "No measure ?; there are J, F, max_f" in sentence(capsys)


def test_score_explains_a_number(maps, capsys):
    folder, truth = maps
    out = folder / "explained.json"
    words = ["score", str(folder / "near"), "--gt", str(truth)]
    assert main([*words, "--protocol", "davsod", "--json", str(folder / "a.json")]) == 0
    number = f"{json.loads((folder / 'a.json').read_text())['max_f']:.6f}"
    capsys.readouterr()
    assert main([*words, "--explain", number, "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert found["found"] and "max_f" in [way["measure"] for way in found["ways"]]
    shown = capsys.readouterr().out
    assert f"{number} is\n" in shown and "max_f" in shown
    assert main([*words, "--explain", "0.0123456"]) == 0
    assert "Nothing tried gives 0.0123456; the nearest are" in capsys.readouterr().out
    assert main([*words, "--explain", "much"]) == 2
    assert "as it is printed" in sentence(capsys)


def test_compare(maps, capsys):
    folder, truth = maps
    for name in ("near", "far"):
        words = [str(folder / name), "--gt", str(truth), "--json", str(folder / f"{name}.json")]
        assert main(["score", *words]) == 0
    capsys.readouterr()
    words = ["compare", str(folder / "far.json"), str(folder / "near.json")]
    assert main([*words, "--json", str(folder / "both.json")]) == 0
    shown = capsys.readouterr().out
    assert "near.json against far.json, 4 sequences" in shown
    lines = {line.split()[0]: line for line in shown.splitlines()}
    assert lines["J"].endswith("near.json is better")
    assert lines["mae"].endswith("near.json is better")
    assert json.loads((folder / "both.json").read_text())["measures"]["J"]["second_better"] == 4
    (folder / "odd.json").write_text("{")
    for odd in (folder / "odd.json", truth, folder / "none.json"):
        assert main(["compare", str(folder / "far.json"), str(odd)]) == 2
        sentence(capsys)
