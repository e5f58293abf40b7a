"""Rate limits with the library `limits`, and the header fields that tell of them
(draft-ietf-httpapi-ratelimit-headers).

The counts are this process's own: with several replicas a caller has as many times the rate.
"""

import math
import time
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from chassis.errors import TooManyRequests


@dataclass(frozen=True)
class Standing:
    """How a caller stands towards one rate: `remaining` requests, all again in `reset` seconds."""

    policy: str
    quota: int
    window: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """The two header fields of the draft."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={self.window}',
            "RateLimit": f'"{self.policy}";r={self.remaining};t={self.reset}',
        }


class RateExceeded(TooManyRequests):
    """Too many requests; try again after `retry_after` seconds."""

    code = "rate_exceeded"
    headers: dict[str, str] = {}


class RateLimits:
    """Counts requests by policy and caller."""

    def __init__(self, rates: dict[str, str]) -> None:
        """`rates`: by policy, such as `{"signed_in": "600/minute"}`; raises ValueError for one that
        cannot be read.
        """
        self._rates: dict[str, RateLimitItem] = {name: parse(rate) for name, rate in rates.items()}
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count(self, policy: str, caller: str) -> Standing:
        """Count one request; raises RateExceeded, with the headers, when there are none left."""
        rate = self._rates[policy]
        within = self._limiter.hit(rate, policy, caller)
        stats = self._limiter.get_window_stats(rate, policy, caller)
        # The library reads the same wall clock that it stamps with.
        reset = max(1, math.ceil(stats.reset_time - time.time()))
        standing = Standing(policy, rate.amount, rate.get_expiry(), max(0, stats.remaining), reset)
        if not within:
            exceeded = RateExceeded(retry_after=reset)
            exceeded.headers = standing.headers()
            raise exceeded
        return standing
