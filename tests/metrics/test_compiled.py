"""A compiled loop gives what the plain one gives, and is compiled only when it is called."""

import subprocess
import sys

import numpy as np

from vsodlib.metrics.compiled import compiled


def mean_of_larger(values, limit):
    """The mean of the values above a limit."""
    total, count = 0.0, 0
    for value in values:
        if value > limit:
            total += value
            count += 1
    return total / count


def test_the_loop_and_its_machine_code_agree():
    fast = compiled(mean_of_larger)
    values = np.random.default_rng(0).random(50)
    assert fast(values, 0.5) == mean_of_larger(values, 0.5)
    assert fast(values, limit=0.9) == mean_of_larger(values, 0.9)
    assert np.isnan(fast(values, 2.0)), "numpy's division, no ZeroDivisionError"
    assert (fast.__name__, fast.__doc__) == (mean_of_larger.__name__, mean_of_larger.__doc__)


def test_numba_loads_at_the_first_call():
    code = "import sys, vsodlib.metrics.contours; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
