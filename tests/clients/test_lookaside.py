"""The lookaside cache's client: who it says it is. TLS is real; with Kerberos it is in ``test_kerberos``."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from werkzeug.serving import make_server

from packit_worker.clients.lookaside import Identity, LookasideClient
from packit_worker.errors import Refused, TemporaryError
from packit_worker.sandbox import Sandbox
from tests import having

from .conftest import TIMEOUT


class Authority:
    """Somebody who makes certificates, in a directory."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self._own = self._signed(self._name, self._key, ca=True)
        self.path = self._write(f"{name}.pem", self._own)

    def issue(self, name: str) -> Path:
        """A certificate with its key, in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._write(f"{name}.pem", self._signed(_name(name), key), key)

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool = False
    ) -> x509.Certificate:
        moment = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(moment - timedelta(hours=1))
            .not_valid_after(moment + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _write(
        self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey | None = None
    ) -> Path:
        text = certificate.public_bytes(serialization.Encoding.PEM)
        if key is not None:
            text += key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        path = self._folder / name
        path.write_bytes(text)
        return path


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def url(sandbox: Sandbox, authority: Authority) -> Iterator[str]:
    """The sandbox's cache, over TLS, for those with a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.path))
    context.load_cert_chain(authority.issue("localhost"))
    context.verify_mode = ssl.CERT_OPTIONAL
    server = make_server("127.0.0.1", 0, sandbox.lookaside.wsgi, threaded=True, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_port}/repo/pkgs"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "hello-1.0.tar.gz"
    path.write_bytes(b"an archive")
    return path


def client(url: str, **identity: str) -> LookasideClient:
    return LookasideClient(url, f"{url}/upload.cgi", Identity(**identity), timeout=TIMEOUT)


def test_a_certificate(sandbox: Sandbox, url: str, authority: Authority, archive: Path) -> None:
    sandbox.dist_git.add_package("hello", owner="mia")
    made = client(url, cert=str(authority.issue("mia")), ca=str(authority.path))
    made.upload("rpms/hello", archive)
    made.upload("rpms/hello", archive)
    (there,) = sandbox.lookaside.archives
    assert (there.package, there.filename, there.content, there.user) == (
        "rpms/hello",
        "hello-1.0.tar.gz",
        b"an archive",
        "mia",
    )
    assert sandbox.effects()["lookaside_upload", "rpms/hello", there.filename, there.hash] == 1


def test_the_wrong_certificates(
    sandbox: Sandbox, url: str, authority: Authority, archive: Path, tmp_path: Path
) -> None:
    ca = str(authority.path)
    with pytest.raises(Refused, match="401"):
        client(url, cert=str(authority.issue("nobody")), ca=ca).upload("rpms/hello", archive)
    with pytest.raises(Refused, match="cannot be read"):
        client(url, cert=str(tmp_path / "none.pem"), ca=ca).upload("rpms/hello", archive)
    # The cache's own, of somebody we do not know.
    with pytest.raises(TemporaryError):
        client(url, cert=str(authority.issue("mia"))).upload("rpms/hello", archive)
    with pytest.raises(Refused, match="cannot be used"):
        client(url, cert=str(authority.issue("mia")), ca=str(tmp_path / "none.pem")).upload(
            "rpms/hello", archive
        )
    assert sandbox.lookaside.archives == []


def test_a_token(sandbox: Sandbox, url: str, authority: Authority, archive: Path) -> None:
    known = {"login": sandbox.pagure.username, "ca": str(authority.path)}
    with pytest.raises(Refused) as raised:
        client(url, token="a-wrong-token", **known).upload("rpms/hello", archive)
    assert "a-wrong-token" not in str(raised.value)
    client(url, token=sandbox.pagure.token, **known).upload("rpms/hello", archive)
    assert [there.user for there in sandbox.lookaside.archives] == [sandbox.pagure.username]


def test_kerberos(
    sandbox: Sandbox,
    url: str,
    authority: Authority,
    archive: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a ticket nothing is uploaded, and the token is not taken instead."""
    having.the_library_koji()
    monkeypatch.setenv("KRB5_CONFIG", str(tmp_path / "krb5.conf"))
    (tmp_path / "krb5.conf").write_text(
        "[libdefaults]\ndefault_realm = EXAMPLE.ORG\ndns_lookup_kdc = false\n[realms]\n"
        "EXAMPLE.ORG = {\n  kdc = 127.0.0.1:1\n}\n"
    )
    known = {"principal": "packit@EXAMPLE.ORG", "token": sandbox.pagure.token, "ca": str(authority.path)}
    with pytest.raises(Refused, match=r"keytab .* cannot be read"):
        client(url, keytab=str(tmp_path / "none"), **known).upload("rpms/hello", archive)
    # A keytab without keys: https://web.mit.edu/kerberos/krb5-latest/doc/formats/keytab_file_format.html
    (tmp_path / "keytab").write_bytes(b"\x05\x02")
    with pytest.raises(Refused, match=r"has no key of packit@EXAMPLE\.ORG"):
        client(url, keytab=str(tmp_path / "keytab"), **known).upload("rpms/hello", archive)
    assert sandbox.lookaside.archives == []


def test_no_secret_in_a_representation() -> None:
    assert "secret" not in repr(Identity(login="packit", token="secret"))
