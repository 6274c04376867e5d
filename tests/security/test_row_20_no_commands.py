"""Row 20: what takes anything is known by name, and changes nothing for strangers."""

from __future__ import annotations

from web.gitlab_hooks import HOOK as GITLAB_HOOK
from web.opening import RESULTS, WEBHOOK, Opened
from web.pagure_hooks import HOOK

#: See test_row_20_operators.
FOR_OPERATORS = ("/login", "/logout", "/replay/<path:id>", "/drop/<path:id>", "/allowlist")


def test_only_the_doors_take_anything(door: Opened) -> None:
    changing = {
        rule.rule
        for rule in door.app.url_map.iter_rules()
        if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
    }
    assert changing == {WEBHOOK, HOOK, GITLAB_HOOK, RESULTS, *FOR_OPERATORS}


def test_other_methods_change_nothing(door: Opened) -> None:
    door.webhook(X_GitHub_Delivery="guid-1")
    for path in (
        "/",
        "/deliveries/guid-1",
        "/deliveries/guid-1/replay",
        "/events/x",
        "/login",
        "/logout",
        "/replay/guid-1",
        "/drop/guid-1",
        "/allowlist",
        WEBHOOK,
        HOOK,
        GITLAB_HOOK,
        RESULTS,
    ):
        for method in ("PUT", "PATCH", "DELETE", "POST"):
            answer = door.client.open(path, method=method)
            assert answer.status_code in (400, 401, 404, 405, 415)
    assert (door.count(), len(door.broker.sent)) == (1, 1)
