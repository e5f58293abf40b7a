"""Test aids that ship with the product: waiting, calling a service from outside, running one as a
process.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(check: Callable[[], T], within: float = 30.0) -> T:
    """The first true value of `check`, which may also raise AssertionError until then.

    Raises AssertionError when `within` seconds bring none. It returns as soon as it can, so a
    generous limit costs nothing.
    """
    give_up = time.monotonic() + within
    while True:
        try:
            value = check()
        except AssertionError:
            if time.monotonic() > give_up:
                raise
        else:
            if value:
                return value
            if time.monotonic() > give_up:
                raise AssertionError(f"still {value!r} after {within} s")
        time.sleep(0.02)
