"""How often somebody may try to log in: so many times a minute from an address, and so many times from everywhere.

The processes of the web count together where Redis is the broker, and each by itself where it is not or is away. Used
by the pages that log people in, and by nothing else: a webhook meets none of this.
"""

from __future__ import annotations

import ipaddress
import logging
import math
import time
from functools import cached_property
from urllib.parse import urlsplit

from flask import Flask, current_app, request
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from werkzeug.exceptions import TooManyRequests
from werkzeug.middleware.proxy_fix import ProxyFix

from packit_worker.config.service import ServiceConfig

log = logging.getLogger(__name__)

#: Attempts from one address. A login through a provider counts twice: on the way there and on the way back.
PER_ADDRESS = RateLimitItemPerMinute(10)
#: Attempts from everywhere.
OVERALL = RateLimitItemPerMinute(120)
#: Seconds that Redis has for an answer.
_PATIENCE = 0.5
_PREFIX = "packit-worker:logins"
#: What a network provider gives to one customer, of addresses of IPv6.
_CUSTOMER = 64
_LONGEST_ADDRESS = 100
_KEY = "packit_worker.throttle"


class Throttle:
    """Counts attempts. Connects nothing and starts no thread before the first of them."""

    def __init__(self, broker_url: str | None) -> None:
        self._redis_url = broker_url if _is_redis(broker_url) else None

    def seconds_to_wait(self, address: str) -> int:
        """Count an attempt from an address: 0 if it may be made, else the seconds until the next one may be."""
        if self._redis_url is not None:
            try:
                return _hit(self._shared, address)
            # the latter two: an address that says more than the client of Redis understands
            except (StorageError, TypeError, ValueError) as error:
                log.warning("attempts to log in are counted by this process alone: %s", error)
        return _hit(self._own, address)

    @cached_property
    def _shared(self) -> FixedWindowRateLimiter:
        assert self._redis_url is not None
        return FixedWindowRateLimiter(
            RedisStorage(
                self._redis_url,
                key_prefix=_PREFIX,
                wrap_exceptions=True,
                socket_timeout=_PATIENCE,
                socket_connect_timeout=_PATIENCE,
            )
        )

    @cached_property
    def _own(self) -> FixedWindowRateLimiter:
        return FixedWindowRateLimiter(MemoryStorage())


def install(app: Flask, settings: ServiceConfig) -> None:
    """Let an application's views use ``count_attempt``, and believe the proxies that are to be believed."""
    app.extensions[_KEY] = Throttle(settings.broker_url)
    if settings.trusted_proxies:
        proxied = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0, x_host=0)
        app.wsgi_app = proxied  # type: ignore[method-assign]


def count_attempt() -> None:
    """Count this request as an attempt to log in. Raises 429."""
    throttle = current_app.extensions[_KEY]
    assert isinstance(throttle, Throttle)
    seconds = throttle.seconds_to_wait(customer(request.remote_addr or ""))
    if seconds:
        log.warning("somebody tries to log in too often")
        raise TooManyRequests(
            f"there were too many attempts to log in: try again in {seconds} seconds", retry_after=seconds
        )


def customer(address: str) -> str:
    """Whom an address belongs to: itself, but of IPv6 the network of which one customer has all addresses."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        # a proxy of ours says so: with a port, or a name
        return address[:_LONGEST_ADDRESS]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(found), _CUSTOMER), strict=False))
    return str(found)


def _hit(limiter: FixedWindowRateLimiter, address: str) -> int:
    # Whoever has used up his own attempts does not use up those of all others.
    return _hit_one(limiter, PER_ADDRESS, address) or _hit_one(limiter, OVERALL, "overall")


def _hit_one(limiter: FixedWindowRateLimiter, limit: RateLimitItem, name: str) -> int:
    if limiter.hit(limit, name):
        return 0
    reset_at = limiter.get_window_stats(limit, name).reset_time
    return min(max(math.ceil(reset_at - time.time()), 1), limit.get_expiry())


def _is_redis(url: str | None) -> bool:
    return urlsplit(url or "").scheme in ("redis", "rediss")
