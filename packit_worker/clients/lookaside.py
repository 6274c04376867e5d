"""The lookaside cache of dist-git: archives by name and hash. Only ``clients.dist_git`` and ``services`` use it.

https://pagure.io/dist-git/blob/master/f/scripts/httpd/upload.cgi. Fedora's takes uploads from whoever proves with
Kerberos or with a client certificate who they are, as for ``fedpkg``; stand-ins take a token as a password.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from packit_worker.clients import http_errors
from packit_worker.clients.http import USER_AGENT
from packit_worker.clients.kerberos import Kerberos, readable
from packit_worker.errors import NotFound, Refused

SYSTEM = "The lookaside cache"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who uploads: of Kerberos (``principal``, ``keytab``), with a certificate and its key in one file (``cert``), or
    ``login`` with a ``token``. The first that is given counts. ``ca`` is whom the cache's own certificate is from."""

    principal: str | None = None
    keytab: str | None = None
    cert: str | None = None
    ca: str | None = None
    login: str = ""
    token: str = field(default="", repr=False)

    @property
    def is_of_kerberos(self) -> bool:
        return bool(self.principal or self.keytab)


class LookasideClient:
    """One cache. Safe to use from several threads. ``timeout`` is in seconds."""

    def __init__(self, url: str, upload_url: str, identity: Identity, *, timeout: float = 10.0) -> None:
        self._url = url.rstrip("/")
        self._upload_url = upload_url
        self._identity = identity
        self._timeout = timeout
        self._kerberos = Kerberos(SYSTEM.lower(), principal=identity.principal, keytab=identity.keytab)

    def upload(self, package: str, archive: Path) -> None:
        """Have an archive there. One call, or two; safe to repeat. Raises Refused, TemporaryError."""
        with archive.open("rb") as content:
            digest = hashlib.file_digest(content, "sha512").hexdigest()
            place = f"{package}/{archive.name}/sha512/{digest}/{archive.name}"
            try:
                self._call("HEAD", f"{self._url}/{place}", {})
            except NotFound:
                content.seek(0)
                sent = {
                    "data": {"name": package, "sha512sum": digest},
                    "files": {"file": (archive.name, content)},
                }
                self._call("POST", self._upload_url, sent | self._proof())

    def _proof(self) -> dict[str, Any]:
        """What a request proves with who we are. Raises Refused, TemporaryError."""
        identity = self._identity
        if identity.is_of_kerberos:
            return {"auth": self._kerberos.negotiation(self._upload_url)}
        if identity.cert is not None:
            readable(identity.cert, "certificate", SYSTEM)
            return {"cert": identity.cert}
        return {"auth": (identity.login, identity.token)}

    def _call(self, method: str, url: str, arguments: Mapping[str, Any]) -> None:
        try:
            response = requests.request(
                method,
                url,
                headers={"User-Agent": USER_AGENT},
                timeout=self._timeout,
                allow_redirects=False,
                verify=self._identity.ca or True,
                # Without an own auth, requests would look into ~/.netrc.
                **{"auth": _as_it_is, **arguments},
            )
        except requests.RequestException as error:
            # The same archive can be uploaded twice: what is not answered is tried again.
            raise http_errors.from_failure(error, system=SYSTEM, write=False) from error
        except OSError as error:
            # A certificate or a list of authorities that cannot be read.
            raise Refused(f"{SYSTEM} cannot be used: {error}", answer=str(error)) from error
        if not 200 <= response.status_code < 300:
            words = response.text[:500]
            if self._identity.token:
                words = words.replace(self._identity.token, "***")
            raise http_errors.from_answer(
                response.status_code, response.headers, words, system=SYSTEM, write=False
            )


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
