"""How words become values, and what is said of those that cannot."""

import pytest

from vsodlib.cli.main import main


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
        ("score a --gt b --void 256", "--void: give a whole number from 0 to 255, not '256'"),
        ("score a --gt b --all --measures J", "score takes --all or --measures, not both"),
        (
            "train --out o --learning-rate nan",
            "--learning-rate: give a number from 0 on, not 'nan'",
        ),
        ("train --out o --iou-weight -1", "--iou-weight: give a number from 0 on, not '-1'"),
        ("train --out o --clip-gradient x", "--clip-gradient: give a number from 0 on, not 'x'"),
        ("train --out o --warmup-steps -1", "a whole number from 0 on, not '-1'"),
        (
            "train --out o --steps 9223372036854775808",
            "--steps: give a whole number from 0 on, not",
        ),
        ("train --out o --workers 257", "--workers: give a whole number from 0 to 256, not '257'"),
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
