"""A client for a sandbox in a process of its own, with the names of the Python interface.

Anybody may import it.
"""

from typing import Any, Self

import requests

TIMEOUT_SECONDS = 60


class SandboxError(Exception):
    """The control server refused; the text says why."""


class Record(dict[str, Any]):
    """A JSON object whose fields can be read as attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class _Part:
    """One stand-in: `client.github.open_pull_request(...)` calls the operation ``github.open_pull_request``."""

    def __init__(self, client: "SandboxClient", prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*arguments: Any, **named: Any) -> Any:
            return self._client.call(f"{self._prefix}.{name}", *arguments, **named)

        return call


class SandboxClient:
    """Speaks with the control server at `control_url`. Results are `Record`s, lists and plain values.

    Everything is a method here: what is a property of the Python interface takes no arguments
    (`client.copr.builds()`), and settings have a method of their own (`client.copr.set_outcome(key, outcome)`).
    """

    def __init__(self, control_url: str) -> None:
        self.control_url = control_url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False
        self.github = _Part(self, "github")
        self.copr = _Part(self, "copr")
        self.testing_farm = _Part(self, "testing_farm")
        self.koji = _Part(self, "koji")
        self.pagure = _Part(self, "pagure")
        self.gitlab = _Part(self, "gitlab")
        self.dist_git = _Part(self, "dist_git")
        self.lookaside = _Part(self, "lookaside")
        self.fasjson = _Part(self, "fasjson")
        self.bus = _Part(self, "bus")
        self.faults = _Part(self, "faults")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def call(self, operation: str, *arguments: Any, **named: Any) -> Any:
        """Call an operation by name. Raises SandboxError."""
        response = self._session.post(
            f"{self.control_url}/_sandbox/{operation}",
            json={"arguments": arguments, "named": named},
            timeout=TIMEOUT_SECONDS,
        )
        answer = response.json(object_hook=Record)
        if response.status_code != 200:
            raise SandboxError(answer.get("error", response.text))
        return answer["result"]

    def urls(self) -> dict[str, str]:
        """The address of each server."""
        found: dict[str, str] = self.call("urls")
        return found

    def credentials(self) -> Record:
        """What a client needs to be let in, by server."""
        found: Record = self.call("credentials")
        return found

    def calls(self, server: str | None = None) -> list[Record]:
        """The calls one server answered, or all did."""
        found: list[Record] = self.call("calls", server)
        return found

    def effects(self) -> dict[tuple[str, ...], int]:
        """How often each thing was created, as `Sandbox.effects` counts."""
        return {tuple(entry["key"]): entry["count"] for entry in self.call("effects")}

    def reset(self) -> None:
        """Empty the sandbox."""
        self.call("reset")
