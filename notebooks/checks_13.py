"""Checks of the exercises of notebook 13."""

import torch
from checks import call, check, expect_choice, expect_close


@check
def check_1(cost_of_a_frame):
    mistakes = {
        "that encodes the references anew for every frame.": 500 + 5 * 374,
        "only one reference is in there; there are five.": 500 + 374 / 50,
        "the frame's own encoding is in the 500 already.": 500 + 374 + 5 * 374 / 50,
    }
    expect_close(cost_of_a_frame, 537.4, "the cost of a frame", mistakes)


@check
def check_2(read_reference):
    torch.manual_seed(13)
    x, weight, x_r = torch.randn(5, 3), torch.randn(3, 3), torch.randn(4, 3)
    affinity = x @ weight @ x_r.T
    mistakes = {
        "the softmax must run over the reference's positions.": affinity.softmax(dim=0) @ x_r,
        "without a softmax the shares of a row do not sum to one.": affinity @ x_r,
        "W is missing.": (x @ x_r.T).softmax(dim=1) @ x_r,
    }
    got = call(read_reference, x, weight, x_r)
    expect_close(got, affinity.softmax(dim=1) @ x_r, "what is read", mistakes)


@check
def check_3(changes):
    hints = {"yes": "a sum over positions has no order. Try it with the module above."}
    expect_choice(changes, "no", hints, "whether it changes")
