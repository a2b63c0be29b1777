"""The sentences with which checks of exercises answer."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

PATH = Path(__file__).resolve().parents[2] / "notebooks" / "checks.py"
spec = importlib.util.spec_from_file_location("checks", PATH)
checks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(checks)
RIGHT = np.arange(6.0).reshape(2, 3)


@checks.check
def check_double(answer):
    got = checks.call(answer, torch.tensor(RIGHT))
    checks.expect_close(got, 2 * RIGHT, "the result", {"you added twice.": RIGHT + 2})


@pytest.mark.parametrize(
    "answer, said", [(lambda x: 2 * x, "Right."), (lambda x: None, "Not answered"), (None, "Not")]
)
def test_right_and_missing(answer, said, capsys):
    check_double(answer)
    assert capsys.readouterr().out.startswith(said)


@pytest.mark.parametrize(
    "answer, sentence",
    [
        (lambda x: x + 2, "the result: you added twice."),
        (lambda x: x.T, r"shape \(2, 3\), yours has \(3, 2\)"),
        (lambda x: x * torch.nan, "no numbers"),
        (lambda x: 2 * x + (x == 5), r"1 of 6 values are wrong, the worst at \[1, 2\].* 11 .* 10 "),
        (lambda x: "six", "should be numbers, yours is str"),
        (lambda x: x @ x, "stopped with RuntimeError"),
        (3, "a function is asked for, got int"),
    ],
)
def test_wrong_answers_are_told_in_one_sentence(answer, sentence):
    with pytest.raises(checks.WrongAnswer, match=sentence) as error:
        check_double(answer)
    assert error.value._render_traceback_() == [f"Not right yet: {error.value}"]


def test_a_number_is_not_given_away():
    with pytest.raises(checks.WrongAnswer, match=r"N is too small: you have 3\.$"):
        checks.expect_close(3, 12, "N")


def test_choices_have_hints():
    checks.expect_choice("rows", "rows", {"columns": "no."}, "the axis")
    with pytest.raises(checks.WrongAnswer, match="the axis: those sum to one"):
        checks.expect_choice("columns", "rows", {"columns": "those sum to one."}, "the axis")
    for none in ("both", ["rows"], {"rows"}, RIGHT):
        with pytest.raises(checks.WrongAnswer, match="use 'columns', 'rows'"):
            checks.expect_choice(none, "rows", {"columns": "no."}, "the axis")


def test_an_answer_of_another_form_is_one_sentence_too():
    @checks.check
    def check_length(answer):
        checks.expect_close(len(answer), 2, "its length")

    with pytest.raises(checks.WrongAnswer, match=r"cannot be checked \(TypeError: .*len\(\)"):
        check_length(3)
