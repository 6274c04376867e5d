"""Kerberos for real: a KDC, keytabs, and servers that accept its tickets, for the clients that have to show one."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from packit_worker.clients.fasjson import FasJsonClient
from packit_worker.clients.kerberos import Kerberos
from packit_worker.clients.lookaside import Identity, LookasideClient
from packit_worker.config.service import from_mapping
from packit_worker.errors import Refused, TemporaryError
from packit_worker.sandbox import Sandbox
from packit_worker.services import Services
from tests import having

from .kdc import LIFETIME, Gate, Realm, a_realm, realm, serving
from .test_lookaside import Authority

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["a_realm", "realm"]

#: KDCs on slow machines take their time.
TIMEOUT = 10.0


@pytest.fixture(scope="module")
def packit(a_realm: Realm) -> str:
    """The keytab of our principal."""
    return a_realm.keytab("packit")


@pytest.fixture
def fasjson(sandbox: Sandbox, realm: Realm) -> Iterator[tuple[str, Gate]]:
    """A FASJSON as Fedora's is: it tells nobody anything who shows no ticket."""
    sandbox.fasjson.add_user("zoe", "Zoe", ["ipausers"])
    gate = Gate(sandbox.fasjson.wsgi, realm)
    with serving(gate) as url:
        yield url, gate


def client(url: str, realm: Realm, keytab: str, name: str = "packit") -> FasJsonClient:
    return FasJsonClient(url=url, principal=realm.principal(name), keytab=keytab, timeout=TIMEOUT)


# -- FASJSON --


def test_fasjson_with_a_ticket(fasjson: tuple[str, Gate], realm: Realm, packit: str) -> None:
    url, gate = fasjson
    assert client(url, realm, packit).account("zoe").groups == ("ipausers",)
    assert gate.seen == [realm.principal("packit")] * 2
    only_keytab = FasJsonClient(url=url, keytab=packit, timeout=TIMEOUT)
    assert only_keytab.of_github("zoe") is not None
    assert gate.seen == [realm.principal("packit")] * 3


def test_fasjson_without_a_ticket(fasjson: tuple[str, Gate]) -> None:
    url, gate = fasjson
    with pytest.raises(Refused) as raised:
        FasJsonClient(url=url, timeout=TIMEOUT).account("zoe")
    assert raised.value.status == 401
    assert gate.seen == []


def test_a_ticket_that_is_not_let_in(fasjson: tuple[str, Gate], realm: Realm, packit: str) -> None:
    url, gate = fasjson
    gate.denied.add(realm.principal("packit"))
    with pytest.raises(Refused) as raised:
        client(url, realm, packit).account("zoe")
    assert raised.value.status == 403


def test_by_the_configuration(fasjson: tuple[str, Gate], realm: Realm, packit: str, tmp_path: Path) -> None:
    url, gate = fasjson
    config = from_mapping(
        {
            "data_dir": str(tmp_path),
            "fasjson_url": url,
            "fasjson_principal": realm.principal("packit"),
            "fasjson_keytab": packit,
        }
    )
    found = Services.from_config(config).fasjson
    assert found is not None
    assert found.account("zoe").github_username == "Zoe"
    assert gate.seen


def test_several_threads_at_once(fasjson: tuple[str, Gate], realm: Realm, packit: str) -> None:
    url, gate = fasjson
    made, wrong = client(url, realm, packit), []

    def ask() -> None:
        try:
            made.of_github("zoe")
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(gate.seen) == 8


# -- what can be wrong, and whether it may be over by itself --


def test_a_keytab_that_is_wrong(realm: Realm, packit: str, tmp_path: Path) -> None:
    """Each says what is the matter, and is no reason to try again."""
    (tmp_path / "junk").write_bytes(b"junk")
    other = realm.keytab("other")
    principal = realm.principal("packit")
    for keytab, words in (
        (str(tmp_path / "none"), "cannot be read (No such file"),
        (str(tmp_path / "junk"), f"has no key of {principal}"),
        (other, f"has no key of {principal}"),
    ):
        with pytest.raises(Refused) as raised:
            Kerberos("FASJSON", principal=principal, keytab=keytab).negotiation("http://localhost/")
        assert words in str(raised.value)
        assert keytab in str(raised.value)


def test_keys_that_were_changed_and_an_account_that_is_unknown(realm: Realm) -> None:
    old = realm.keytab("changed")
    realm.give_new_keys("changed")
    with pytest.raises(Refused, match=r"FASJSON .localhost.: .*(?:failed|password)"):
        Kerberos("FASJSON", principal=realm.principal("changed"), keytab=old).negotiation("http://localhost/")


def test_a_server_that_is_not_of_the_realm(realm: Realm, packit: str) -> None:
    made = Kerberos("FASJSON", principal=realm.principal("packit"), keytab=packit)
    with pytest.raises(Refused, match="not found in Kerberos database"):
        made.negotiation("https://elsewhere.example/")


def test_the_kdc_is_away(fasjson: tuple[str, Gate], realm: Realm) -> None:
    """Before there was a ticket, and with one for another server: tried again it goes well, when the KDC is back."""
    url, gate = fasjson
    late = client(url, realm, realm.keytab("late"), "late")
    known = Kerberos("FASJSON", principal=realm.principal("known"), keytab=realm.keytab("known"))
    realm.keytab("HTTP/second.example")
    known.negotiation("http://localhost/")
    realm.stop()
    try:
        with pytest.raises(TemporaryError, match="Cannot contact any KDC"):
            late.account("zoe")
        assert gate.seen == []
        with pytest.raises(TemporaryError, match="Cannot contact any KDC"):
            known.negotiation("http://second.example/")
        # A ticket that is there needs no KDC.
        known.negotiation("http://localhost/")
    finally:
        realm.start()
    assert late.account("zoe").login == "zoe"
    known.negotiation("http://second.example/")


def test_tickets_are_renewed(fasjson: tuple[str, Gate], realm: Realm) -> None:
    """Also after they have ended, and by the same client."""
    url, gate = fasjson
    keytab = realm.keytab("short")
    realm.shorten("short")
    made = client(url, realm, keytab, "short")
    made.account("zoe")
    time.sleep(LIFETIME + 2)
    made.account("zoe")
    assert gate.seen == [realm.principal("short")] * 4


def test_tickets_of_the_machine_stay_as_they_are(
    fasjson: tuple[str, Gate], realm: Realm, packit: str
) -> None:
    url, _ = fasjson
    before = dict(os.environ)
    client(url, realm, packit).account("zoe")
    assert dict(os.environ) == before
    import gssapi

    with pytest.raises(gssapi.exceptions.GSSError):
        gssapi.Credentials(usage="initiate", store={"ccache": "MEMORY:nothing-of-the-machine"}).inquire()


# -- the lookaside cache --


class AsAccount:
    """What Fedora's cache does with who has come: the principal's name is the account."""

    def __init__(self, inner: Any, tokens: dict[str, str]) -> None:
        self._inner, self._tokens = inner, tokens

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        from base64 import b64encode

        name = str(environ.get("REMOTE_USER", "")).partition("@")[0]
        if name in self._tokens:
            proof = b64encode(f"{name}:{self._tokens[name]}".encode()).decode()
            environ["HTTP_AUTHORIZATION"] = f"Basic {proof}"
        return self._inner(environ, start_response)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "hello-1.0.tar.gz"
    path.write_bytes(b"an archive" * 100_000)
    return path


@pytest.fixture
def cache(sandbox: Sandbox, realm: Realm, tmp_path: Path) -> Iterator[tuple[str, str, Gate]]:
    """The cache over TLS; uploads, and nothing else, are for those with a ticket."""
    sandbox.dist_git.add_package("hello")
    authority = Authority(tmp_path, "authority")
    inner = AsAccount(sandbox.lookaside.wsgi, {sandbox.pagure.username: sandbox.pagure.token})
    gate = Gate(inner, realm, lambda path: path.endswith("/upload.cgi"))
    with serving(gate, authority.issue("localhost")) as url:
        yield f"{url}/repo/pkgs", str(authority.path), gate


def test_an_upload(
    sandbox: Sandbox, cache: tuple[str, str, Gate], realm: Realm, packit: str, archive: Path
) -> None:
    url, ca, gate = cache
    identity = Identity(principal=realm.principal("packit"), keytab=packit, ca=ca)
    made = LookasideClient(url, f"{url}/upload.cgi", identity, timeout=TIMEOUT)
    made.upload("rpms/hello", archive)
    made.upload("rpms/hello", archive)
    (there,) = sandbox.lookaside.archives
    assert (there.content, there.user) == (archive.read_bytes(), "packit")
    assert gate.seen == [realm.principal("packit")], "sent once, with the ticket"


def test_an_upload_with_the_token_alone(
    sandbox: Sandbox, cache: tuple[str, str, Gate], archive: Path
) -> None:
    url, ca, _ = cache
    identity = Identity(login="packit", token=sandbox.pagure.token, ca=ca)
    with pytest.raises(Refused, match="401"):
        LookasideClient(url, f"{url}/upload.cgi", identity, timeout=TIMEOUT).upload("rpms/hello", archive)
    assert sandbox.lookaside.archives == []


# -- Koji --


@pytest.fixture
def hub(sandbox: Sandbox, realm: Realm, tmp_path: Path) -> Iterator[tuple[str, str, Gate]]:
    """The hub over TLS, where logging in wants a ticket, as its web server is set up for."""
    authority = Authority(tmp_path, "authority")
    gate = Gate(sandbox.koji.wsgi, realm, lambda path: path.endswith("/ssllogin"))
    with serving(gate, authority.issue("localhost")) as url:
        yield f"{url}/kojihub", str(authority.path), gate


def koji(hub: tuple[str, str, Gate], realm: Realm, keytab: str, name: str = "packit") -> Any:
    having.the_library_koji()
    from packit_worker.clients.koji import KojiClient

    url, ca, _ = hub
    return KojiClient(
        hub_url=url, principal=realm.principal(name), keytab=keytab, serverca=ca, timeout=TIMEOUT
    )


def order() -> Any:
    from packit_worker.ports import KojiOrder

    return KojiOrder(target="f43", marker="run-1", scratch=True, source="git+https://x/tool.git#" + "a" * 40)


def test_a_login_at_koji(sandbox: Sandbox, hub: tuple[str, str, Gate], realm: Realm, packit: str) -> None:
    made = koji(hub, realm, packit)
    before = dict(os.environ)
    try:
        made.build(order())
        assert made.find_build(order()) is not None
    finally:
        made.close()
    assert len(sandbox.koji.tasks) == 1
    assert hub[2].seen == [realm.principal("packit")], "one login serves all calls"
    assert dict(os.environ) == before


def test_a_login_that_fails_for_good(
    sandbox: Sandbox, hub: tuple[str, str, Gate], realm: Realm, packit: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="has no key of packit@"):
        koji(hub, realm, realm.keytab("stranger")).build(order())
    hub[2].denied.add(realm.principal("packit"))
    with pytest.raises(Refused, match="let us not in"):
        koji(hub, realm, packit).build(order())
    assert sandbox.koji.tasks == []


def test_a_login_while_the_kdc_is_away(sandbox: Sandbox, hub: tuple[str, str, Gate], realm: Realm) -> None:
    made = koji(hub, realm, realm.keytab("patient"), "patient")
    realm.stop()
    try:
        with pytest.raises(TemporaryError, match="Cannot contact any KDC"):
            made.build(order())
    finally:
        realm.start()
    try:
        made.build(order())
    finally:
        made.close()
    assert len(sandbox.koji.tasks) == 1
