"""`vsod`: help for every option, one sentence for every mistake, the exit codes."""

import os
import re
import shutil
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


def test_the_program_is_installed():
    words = [Path(sys.executable).with_name("vsod"), "data", "list", "--data", "nowhere"]
    run = subprocess.run(words, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "davis2016" in run.stdout


def test_the_program_ends_at_once_but_with_all_that_belongs_to_an_end(tmp_path):
    """What was registered for it is done, what was printed arrives, Ctrl-C's code holds."""
    code = "import atexit\nfrom vsodlib.cli import data, main\n"
    code += "def stopped(self): print('half'); raise KeyboardInterrupt\n"
    code += "data.List.run = stopped\n"
    code += f"atexit.register(open, {str(tmp_path / 'left')!r}, 'w')\nmain.console()"
    words = [sys.executable, "-c", code, "data", "list"]
    run = subprocess.run(words, capture_output=True, text=True)
    assert run.returncode == 130
    assert run.stdout == "half\n"
    assert run.stderr == "\nvsod: Stopped.\n"
    assert (tmp_path / "left").exists()


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


def test_streams_may_be_closed_and_names_of_any_bytes(root, tmp_path):
    """As `2>&-` does, and as archives of other systems leave them."""
    name = os.fsdecode(b"b\xffr")
    shutil.copytree(root / "Annotations/480p/synthetic-05000", tmp_path / "truth" / name)
    truth = str(tmp_path / "truth")
    words = [sys.executable, "-m", "vsodlib.cli.main", "score", truth, "--gt", truth]
    shell = ["sh", "-c", 'exec "$@" 2>&-', "sh", *words]
    run = subprocess.run(shell, stdout=subprocess.PIPE)
    assert run.returncode == 0
    assert rb"b\udcffr" in run.stdout


@pytest.mark.parametrize(
    "code, words, streams",
    [
        (0, ["train", "--help"], ">&-"),
        (2, ["no-command"], "2>&-"),
        (2, ["no-command"], "2>/dev/full"),
        (2, ["--help"], ">/dev/full"),
    ],
)
def test_exit_codes_hold_whatever_the_streams_are(code, words, streams):
    command = [sys.executable, "-m", "vsodlib.cli.main", *words]
    run = subprocess.run(["sh", "-c", f'exec "$@" {streams}', "sh", *command], env=buffered())
    assert run.returncode == code


def test_no_file_takes_the_number_of_a_closed_stream(tmp_path):
    """C libraries would write their complaints into it."""
    code = f"""
import os
from vsodlib.cli import data, main
def run(self):
    film = os.open({str(tmp_path / "film")!r}, os.O_CREAT | os.O_WRONLY)
    os.write(2, b"complaint")
    os.write(film, b"frame")
data.List.run = run
main.console()"""
    shell = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code, "data", "list"]
    assert subprocess.run(shell).returncode == 0
    assert (tmp_path / "film").read_bytes() == b"frame"


def buffered() -> dict[str, str]:
    """The environment of a program whose output waits for its end, as a user's does."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


@pytest.mark.parametrize("words", [["data", "list"], ["--help"]], ids=" ".join)
def test_head_may_close_the_pipe(words):
    """As in `vsod data check ROOT | head -1`; buffered, it shows at the end."""
    words = [sys.executable, "-m", "vsodlib.cli.main", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, env=buffered(), **pipes) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_a_file_that_is_not_there_is_named_without_the_number_of_its_error(sentence):
    assert main(["compare", "nowhere.json", "other.json"]) == 2
    assert sentence() == "vsod: nowhere.json: No such file or directory."


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


@pytest.mark.parametrize("words", [["predict", ""], ["score", "maps", "--gt="]], ids=" ".join)
def test_a_variable_that_is_not_set_is_not_the_folder_one_is_in(words, sentence):
    assert main(words) == 2
    assert "was given an empty word" in sentence()


def test_switches_of_recorded_commands():
    train = parse(["train", "--out", "o", "--freeze-batch-norm", "--no-flip"])
    assert train.training.freeze_batch_norm and not train.training.flip
    with pytest.raises(ValueError, match="train does not know 'yes'"):
        parse(["train", "--out", "o", "--freeze-batch-norm", "yes"])
