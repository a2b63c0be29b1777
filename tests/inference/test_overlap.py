"""Threads that run ahead and behind keep order and lose no error."""

import threading
import time

import pytest

from vsodlib.inference.overlap import ahead, behind


def test_items_come_in_order_one_ahead():
    made = []

    def items():
        for k in range(5):
            made.append(k)
            yield k

    for k in ahead(items()):
        time.sleep(0.05)
        assert made == list(range(min(k + 2, 5)))  # this one and the next, no more
    assert list(ahead([])) == []


def test_error_of_an_item_comes_after_the_items_before_it():
    def items():
        yield 1
        raise KeyError("broken")

    taken = []
    with pytest.raises(KeyError, match="broken"):
        for item in ahead(items()):
            taken.append(item)
    assert taken == [1]


def test_calls_are_made_in_order_in_another_thread():
    made = []
    with behind() as later:
        for k in range(6):
            later(lambda k=k: made.append((k, threading.current_thread().name)))
    assert [k for k, _ in made] == list(range(6))
    assert {name for _, name in made} != {threading.current_thread().name}


def test_few_calls_wait():
    gate, started = threading.Event(), []
    with behind() as later:
        later(gate.wait, 10)
        later(started.append, 1)
        threading.Timer(0.1, gate.set).start()
        later(started.append, 2)  # waits for the first
        assert gate.is_set()


def test_no_call_is_made_after_one_that_failed():
    made = []

    def fail():
        raise OSError("full")

    with pytest.raises(OSError, match="full"), behind() as later:
        later(fail)
        for k in range(10):
            later(made.append, k)
    assert made == []
    with pytest.raises(OSError, match="full"), behind() as later:
        later(fail)  # nothing follows: the end of the block tells


def test_calls_are_finished_where_the_block_breaks_off():
    made = []
    with pytest.raises(KeyboardInterrupt), behind() as later:
        later(time.sleep, 0.05)
        later(made.append, 1)
        raise KeyboardInterrupt
    assert made == [1]
