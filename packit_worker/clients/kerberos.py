"""Tickets of Kerberos, for servers that ask for them over HTTP (SPNEGO, RFC 4559). Only ``clients`` imports it.

The libraries are those of the extra ``koji``. Tickets are kept in the memory of the process, and got from a keytab
again when half of their life is over (https://web.mit.edu/kerberos/krb5-latest/doc/basic/keytab_def.html#default-client-keytab).
"""

from __future__ import annotations

import hashlib
import threading
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from packit_worker.errors import Refused, TemporaryError

#: Of RFC 4121. SPNEGO's errors would not say what Kerberos has found.
KERBEROS = "1.2.840.113554.1.2.2"
#: Kerberos' codes count from here: https://web.mit.edu/kerberos/krb5-latest/doc/appdev/refs/macros/index.html
_BASE = 2529638912
#: What may be over by itself: a KDC that has no time (29) or another time (37), none that answers, a realm without any.
_PASSING = frozenset({_BASE + 29, _BASE + 37, _BASE + 156, _BASE + 164})
#: In whose memory of tickets there is nothing, and whose keytab has brought nothing.
_NO_TICKETS = frozenset({_BASE + 195})


class Kerberos:
    """Who we are for one system: a ``principal`` (None: the keytab's first) and a ``keytab`` (None: the machine's own
    tickets). Safe to use from several threads. ``system`` is what people are told of.
    """

    def __init__(self, system: str, *, principal: str | None, keytab: str | None) -> None:
        self._system = system
        self._principal = principal
        self._keytab = keytab
        who = hashlib.sha256(f"{principal} {keytab}".encode()).hexdigest()[:16]
        #: Where the tickets are: in memory, and not among what others on this machine have in theirs.
        self.cache = f"MEMORY:packit-worker-{who}"
        # One at a time: two that renew the same tickets would overwrite each other's.
        self._acquiring = threading.Lock()

    def negotiation(self, url: str) -> Any:
        """The ``auth`` of one request of requests to this address, with a ticket for its server.

        Asks a KDC where there is no fresh ticket. Raises Refused (keytab, principal or server are wrong),
        TemporaryError (no KDC answers).
        """
        try:
            gssapi, requests_gssapi = import_module("gssapi"), import_module("requests_gssapi")
        except ImportError as error:
            words = "the libraries for Kerberos are not installed: install packit-worker with its extra koji"
            raise Refused(f"{self._system} cannot be used: {words}", answer=words) from error
        credentials = self._credentials(gssapi, url)
        return requests_gssapi.HTTPSPNEGOAuth(
            creds=credentials,
            # With the first request: what is large is not sent in vain.
            opportunistic_auth=True,
            mutual_authentication=requests_gssapi.OPTIONAL,
        )

    def _credentials(self, gssapi: Any, url: str) -> Any:
        store = {"ccache": self.cache}
        if self._keytab is not None:
            readable(self._keytab, "keytab", self._system)
            store["client_keytab"] = self._keytab
        host = urlsplit(url).hostname
        try:
            with self._acquiring:
                name = self._principal and gssapi.Name(self._principal, gssapi.NameType.kerberos_principal)
                credentials = gssapi.Credentials(name=name or None, usage="initiate", store=store)
                # requests_gssapi would send the request without a ticket where none can be had.
                gssapi.SecurityContext(
                    name=gssapi.Name(f"HTTP@{host}", gssapi.NameType.hostbased_service),
                    creds=credentials,
                    mech=gssapi.OID.from_int_seq(KERBEROS),
                    usage="initiate",
                ).step()
        except gssapi.exceptions.GSSError as error:
            raise self._meaning(error, host) from error
        return credentials

    def _meaning(self, error: Any, host: str | None) -> Refused | TemporaryError:
        words = str(error).rpartition("): ")[2] or str(error)
        told = f"Kerberos gives no ticket for {self._system} ({host}): {words}"
        if error.min_code in _PASSING:
            return TemporaryError(told)
        if error.min_code in _NO_TICKETS:
            words = f"the keytab {self._keytab} has no key of {self._principal or 'anybody'}"
            told = f"Kerberos gives no ticket for {self._system} ({host}): {words}"
        return Refused(told, answer=words)


def readable(path: str, what: str, system: str) -> None:
    """Raises Refused where a file of our credentials cannot be read."""
    try:
        with Path(path).open("rb"):
            return
    except OSError as error:
        words = f"the {what} {path} cannot be read ({error.strerror})"
        raise Refused(f"{system} cannot be used: {words}", answer=words) from error
