"""`vsod`: help for every option, one sentence for every mistake, the exit codes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from vsodlib.cli.main import COMMANDS, main, options, parse


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_sentence_of_help(name, help_of):
    text = help_of(*name.split())
    assert text.startswith(f"usage: vsod {name} [-h]")
    values = r"(?:,? (?:--no-[\w-]+|STR|INT|FLOAT|\[?\{[^}]*\}\]?|\.\.\.))*+ "
    for option in options(COMMANDS[name]):
        place = rf"\[?{option[2:].upper().rstrip('S')}S?\]?"  # of a positional argument
        sentence = r"(?!\()(.+?\.) \((?:required|default: )"
        found = re.search(f" (?:{option}|{place}){values}{sentence}", text)
        assert found, f"{option} in {text}"
        assert found[1].count(" ")


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert [line.strip().partition("  ")[0] for line in out.splitlines()[3:]] == list(COMMANDS)
    with pytest.raises(SystemExit):
        main(["data", "-h"])
    assert [line[:12].strip() for line in capsys.readouterr().out.splitlines()[3:]] == [
        name[:10] for name in COMMANDS if name.startswith("data ")
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "vsod needs a command; there are data list, "),
        ("data", "data needs a command; there are data list, data fetch, "),
        ("trian", "there is no command 'trian'; did you mean train?"),
        ("data lsit", "there is no command 'data lsit'; did you mean data list?"),
        ("zzz", "there is no command 'zzz'; there are data list, "),
        ("train", "train needs --out (see `vsod train --help`)."),
        ("publish a", "publish needs --name and --scores"),
        ("train --stesp 3 --out o", "train does not know '--stesp'; did you mean --steps?"),
        ("train --ot=o", "train does not know '--ot=o'; did you mean --out?"),
        ("publish a b --name c --scores d", "publish does not know 'b' (see"),
        ("predict", "predict SOURCE ...: give one or more"),
        ("predict a --cutout b.mp4", "predict --cutout: give one of webm, mov, png, not 'b.mp4'"),
        ("train --out", "train --out: give a value"),
        ("train --out o --mix", "train --mix: give one or more"),
        ("average --out o", "average CHECKPOINT ...: give one or more"),
        ("train --out o --mining soft", "train --mining: give one of hard, random, not 'soft'"),
        ("train --out o --preset big", "train --preset: give one of lite, paper, not 'big'"),
        ("ablate table5 --out o", "ablate TABLE: give one of table3, table4, not 'table5'"),
        ("score a --gt b --protocol c", "give one of davis2016, davsod, frames, not 'c'"),
        ("score a", "score needs --dataset or --gt"),
        ("score a --gt b --dataset c", "score takes --gt or --dataset, not both"),
        (
            "train --out o --output-stride 4",
            "train cannot be run so: output_stride must be 8 or 16",
        ),
        ("score a --gt b --void 256", "--void: give a whole number from 0 to 255, not '256'"),
        ("score a --gt b --all --measures J", "score takes --all or --measures, not both"),
        (
            "train --out o --learning-rate nan",
            "--learning-rate: give a number from 0 on, not 'nan'",
        ),
        ("train --out o --iou-weight -1", "--iou-weight: give a number from 0 on, not '-1'"),
        ("train --out o --clip-gradient x", "--clip-gradient: give a number from 0 on, not 'x'"),
        ("train --out o --warmup-steps -1", "a whole number from 0 on, not '-1'"),
        ("train --out o --seed 1.5", "--seed: give a whole number from 0 on, not '1.5'"),
        ("ablate table3 --out o --seeds 0 -1", "--seeds: give a whole number from 0 on, not '-1'"),
        ("evaluate --checkpoint c --height 0", "--height: give a whole number from 1 on, not '0'"),
        ("predict v --height -5", "--height: give a whole number from 1 on, not '-5'"),
        ("embed --checkpoint c --out o --batch-size 0", "a whole number from 1 on, not '0'"),
        ("data make-synthetic --out o --seed -1", "a whole number from 0 on, not '-1'"),
    ],
)
def test_words_that_make_no_sense(words, said, sentence):
    assert main(words.split()) == 2
    assert said in sentence()


def test_the_program_is_installed():
    words = [Path(sys.executable).with_name("vsod"), "data", "list", "--data", "nowhere"]
    run = subprocess.run(words, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "davis2016" in run.stdout


def test_ctrl_c_has_its_own_exit_code(monkeypatch, sentence, root):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("vsodlib.data.check.check", interrupted)
    assert main(["data", "check", str(root)]) == 130
    assert sentence() == "vsod: Stopped."


def test_debug_shows_the_traceback(monkeypatch):
    monkeypatch.setenv("VSOD_DEBUG", "1")
    with pytest.raises(FileNotFoundError):
        main(["data", "check", "nowhere"])


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"]], ids=" ".join)
def test_help_answers_at_once(words):
    """Within a second of the processor's time, and without torch."""
    code = "import sys, time\nfrom vsodlib.cli.main import main\n"
    code += "try: main(sys.argv[1:])\n"
    code += "finally: print('torch' in sys.modules, time.process_time(), file=sys.stderr)"
    found = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    loaded, seconds = found.stderr.split()
    assert loaded == "False"
    assert float(seconds) < 1


def test_head_may_close_the_pipe(root):
    """As in `vsod data check ROOT | head -1`; buffered, it shows at the end."""
    words = [sys.executable, "-m", "vsodlib.cli.main", "data", "list"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_short_memory_is_one_sentence(monkeypatch, sentence, root):
    def short(*args):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr("vsodlib.data.check.check", short)
    assert main(["data", "check", str(root)]) == 2
    assert sentence().endswith("2.00 GiB. Memory is short: use smaller batches or frames.")


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


def test_yes_and_no_of_recorded_commands():
    train = parse(["train", "--out", "o", "--freeze-batch-norm", "yes", "--flip", "no"])
    assert train.training.freeze_batch_norm
    assert not train.training.flip
    assert parse(["predict", "no"]).sources == ("no",)
