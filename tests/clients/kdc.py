"""A real KDC on this machine, and web servers that take nobody without a ticket of it: what Kerberos' tests need."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import make_server

from tests import having

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Seconds that a ticket of these tests lives: of half of them it is renewed.
LIFETIME = 8


class Realm:
    """A realm with a KDC of its own, in a directory of its own."""

    def __init__(self, folder: Path) -> None:
        k5test = having.a_kdc()
        settings = {"libdefaults": {"dns_canonicalize_hostname": "false", "rdns": "false"}}
        self._realm: Any = k5test.K5Realm(
            portbase=having.free_ports(),
            krb5_conf=settings,
            create_user=False,
            create_host=False,
            get_creds=False,
        )
        self._folder = folder
        self.environment = {name: self._realm.env[name] for name in ("KRB5_CONFIG", "KRB5_KDC_PROFILE")}
        self.service = self.keytab("HTTP/localhost")

    def keytab(self, name: str) -> str:
        """The keytab of a principal, who is made for it."""
        path = self._folder / f"{name.replace('/', '-')}.keytab"
        self._realm.addprinc(self.principal(name))
        self._realm.extract_keytab(self.principal(name), str(path))
        return str(path)

    def principal(self, name: str) -> str:
        """Its full name."""
        return f"{name}@{self._realm.realm}"

    def give_new_keys(self, name: str) -> None:
        """A principal's keys are changed: those in its keytab are of no use any more."""
        self._realm.run([self._realm.kadmin_local, "-q", f"cpw -randkey {self.principal(name)}"])

    def shorten(self, name: str) -> None:
        """Tickets of a principal live only as long as these tests have patience for."""
        command = f"modprinc -maxlife {LIFETIME}sec {self.principal(name)}"
        self._realm.run([self._realm.kadmin_local, "-q", command])

    def stop(self) -> None:
        """The KDC goes away."""
        self._realm.stop_kdc()

    def start(self) -> None:
        """It comes back."""
        self._realm.start_kdc()

    def close(self) -> None:
        self._realm.stop()


@pytest.fixture(scope="module")
def a_realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    made = Realm(tmp_path_factory.mktemp("realm"))
    yield made
    made.close()


@pytest.fixture
def realm(a_realm: Realm, monkeypatch: pytest.MonkeyPatch) -> Realm:
    """The realm, which Kerberos in this process knows. Whoever has no keytab has no tickets either."""
    for name, value in a_realm.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KRB5CCNAME", "MEMORY:nothing-of-the-machine")
    return a_realm


class Gate:
    """Stands before an application, as mod_auth_gssapi does, and takes a ticket for ``HTTP/localhost``.

    ``guards`` says which paths; who has come is told to the application as ``REMOTE_USER``, and ``seen`` here.
    """

    def __init__(
        self, inner: WSGIApplication, realm: Realm, guards: Callable[[str], bool] = lambda path: True
    ) -> None:
        self._inner = inner
        self._realm = realm
        self._guards = guards
        self.seen: list[str] = []
        self.denied: set[str] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        if not self._guards(environ["PATH_INFO"]):
            return self._inner(environ, start_response)
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        answer = b""
        who = None
        if scheme.lower() == "negotiate":
            who, answer = self._accepted(base64.b64decode(token))
        if who is None or who in self.denied:
            status = "401 Unauthorized" if who is None else "403 Forbidden"
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response(status, [("WWW-Authenticate", "Negotiate"), ("Content-Length", "0")])
            return [b""]
        self.seen.append(who)
        del environ["HTTP_AUTHORIZATION"]
        environ["REMOTE_USER"] = who

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            # The server proves itself, too.
            proof = ("WWW-Authenticate", f"Negotiate {base64.b64encode(answer).decode()}")
            return start_response(status, [*headers, proof], *more)

        return self._inner(environ, start)

    def _accepted(self, token: bytes) -> tuple[str | None, bytes]:
        import gssapi

        try:
            credentials = gssapi.Credentials(usage="accept", store={"keytab": self._realm.service})
            context = gssapi.SecurityContext(creds=credentials, usage="accept")
            answer = context.step(token) or b""
        except gssapi.exceptions.GSSError:
            return None, b""
        return str(context.initiator_name), answer


@contextmanager
def serving(application: Any, certificate: Path | None = None) -> Iterator[str]:
    """The address at which an application is served, over TLS where it has a certificate."""
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    server = make_server("127.0.0.1", 0, application, threaded=True, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
