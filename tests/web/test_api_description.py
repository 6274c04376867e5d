"""The API does what its description says: every operation with hundreds of requests made up from it."""

from __future__ import annotations

from pathlib import Path

import pytest
import schemathesis
from hypothesis import given, settings

from packit_worker.journal import Journal
from web.opening import patient

READ = [
    *("/api/copr-builds", "/api/copr-builds/{build_id}", "/api/koji-builds", "/api/koji-builds/{task_id}"),
    *("/api/srpm-builds", "/api/testing-farm/results", "/api/projects"),
    *("/api/projects/{forge}/{namespace}", "/api/projects/{forge}/{namespace}/{name}"),
    *(f"/api/projects/{{forge}}/{{namespace}}/{{name}}/{what}" for what in ("prs", "branches", "releases")),
    *("/api/projects/{forge}/{namespace}/{name}/issues", "/api/allowlist", "/api/allowlist/{login}"),
    *("/api/whitelist", "/api/whitelist/{login}", "/api/installations"),
    *("/api/installations/{installation_id}", "/api/deliveries", "/api/deliveries/{delivery_id}"),
    *("/api/explain", "/api/events/{event_id}", "/api/queues", "/api/rate-limits"),
]


@pytest.mark.parametrize("path", READ)
def test_an_operation(path: str, sqlite_journal: Journal, tmp_path: Path) -> None:
    app = patient(sqlite_journal, tmp_path).app
    operation = schemathesis.openapi.from_wsgi("/api/openapi.json", app)[path]["GET"]

    @settings(max_examples=30, deadline=None, derandomize=True, database=None)
    @given(case=operation.as_strategy())
    def requests(case: schemathesis.Case) -> None:
        case.call_and_validate()

    requests()


def test_what_there_is(sqlite_journal: Journal, tmp_path: Path) -> None:
    client = patient(sqlite_journal, tmp_path).client
    found = client.get("/api/openapi.json").json
    assert sorted(found["paths"]) == sorted(READ)
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            if method != "parameters":
                assert operation["summary"], f"{method} {path} says nothing of itself"


def test_the_page_for_people(sqlite_journal: Journal, tmp_path: Path) -> None:
    client = patient(sqlite_journal, tmp_path).client
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        assert f"/api/docs/{name}" in page.text
        with client.get(f"/api/docs/{name}") as file:
            assert len(file.data) > 10_000
    assert client.get("/api/docs/index.html").status_code == 404
