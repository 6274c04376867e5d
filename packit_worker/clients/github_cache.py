"""What GitHub was asked before: asked again, it may answer that nothing has changed. Only ``clients`` imports it.

Such an answer (304) does not count against the rate limit, and nothing old is ever believed without asking:
https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from github.Requester import Requester

from packit_worker import metrics

T = TypeVar("T")

#: Answers that are kept, those used last; each is only what was made of it.
KEPT = 64


class Answers:
    """The answers that one identity was given. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: By address: its ETag, and what was made of it.
        self._kept: OrderedDict[str, tuple[str, Any]] = OrderedDict()

    def read(self, requester: Requester, url: str, understand: Callable[[Any], T]) -> T:
        """What ``understand`` makes of the JSON at an address; of an unchanged one, what it made before. One call.

        An address is always read with the same ``understand``. Raises what PyGithub raises, and ``understand``.
        """
        with self._lock:
            etag, known = self._kept.get(url, ("", None))
        conditions = {"If-None-Match": etag} if etag else {}
        headers, body = requester.requestJsonAndCheck("GET", url, headers=conditions)
        if etag and body is None:
            metrics.github_cache_responses.labels("revalidated").inc()
            self._keep(url, etag, known)
            kept: T = known
            return kept
        understood = understand(body)
        new = headers.get("etag")
        if not new:
            metrics.github_cache_responses.labels("no-store").inc()
            return understood
        metrics.github_cache_responses.labels("changed" if etag else "miss").inc()
        self._keep(url, str(new), understood)
        return understood

    def _keep(self, url: str, etag: str, understood: Any) -> None:
        with self._lock:
            self._kept[url] = etag, understood
            self._kept.move_to_end(url)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
