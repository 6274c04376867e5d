"""The stand-in for the lookaside cache of dist-git: archives by name and hash.

Used by tests, demo and control server.

``POST /repo/pkgs/upload.cgi``
    A form with ``name`` (``rpms/hello``) and ``sha512sum``. With ``filename`` it asks: ``Available`` or ``Missing``;
    with the part ``file`` it uploads. An API token of Pagure as password of HTTP Basic is needed, or, where it is
    served over TLS, a client certificate whose common name is a user of Pagure.
``GET /repo/pkgs/rpms/<name>/<file>/sha512/<hash>/<file>``
    The archive.

Source: https://pagure.io/dist-git/blob/master/f/scripts/httpd/upload.cgi and https://pagure.io/rpkg (lookaside.py).
"""

import hashlib
import threading
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID
from flask import Flask, Response, request
from werkzeug.utils import secure_filename

from packit_worker.sandbox.page import show
from packit_worker.sandbox.pagure_state import PagureState
from packit_worker.sandbox.recorder import Recorder
from packit_worker.sandbox.server import locked

HASHES = ("sha512", "md5")
PAGE = """<h1>Archives</h1>{% if archives %}<ul class="list">{% for archive in archives %}<li><div class="grow">
<a href="{{ archive.path }}">{{ archive.package }} {{ archive.filename }}</a>
<span class="soft">{{ archive.size }} bytes by {{ archive.user }}</span></div></li>{% endfor %}</ul>
{% else %}<p class="soft">No archive yet.</p>{% endif %}"""


@dataclass(frozen=True)
class Archive:
    """A file that was uploaded. `path` is where it is served."""

    package: str
    filename: str
    hash_type: str
    hash: str
    content: bytes
    user: str

    @property
    def path(self) -> str:
        return f"/repo/pkgs/{self.package}/{self.filename}/{self.hash_type}/{self.hash}/{self.filename}"

    @property
    def size(self) -> int:
        return len(self.content)


class Lookaside:
    """A lookaside cache. All methods may be called from any thread."""

    def __init__(self, recorder: Recorder, pagure: PagureState) -> None:
        self.url = ""
        self.lock = threading.RLock()
        self._recorder = recorder
        self._pagure = pagure
        self._archives: dict[str, Archive] = {}
        app = Flask(__name__)
        self._add_routes(app)
        self.wsgi = locked(app, self.lock)

    def reset(self) -> None:
        """Empty again."""
        with self.lock:
            self._archives.clear()

    def add(self, package: str, filename: str, content: bytes, *, user: str = "mia") -> Archive:
        """Put an archive there; `package` is ``hello`` or ``rpms/hello``."""
        full = package if "/" in package else f"rpms/{package}"
        archive = Archive(full, filename, "sha512", hashlib.sha512(content).hexdigest(), content, user)
        with self.lock:
            self._archives[archive.path] = archive
        return archive

    @property
    def archives(self) -> list[Archive]:
        """All archives, oldest first."""
        with self.lock:
            return list(self._archives.values())

    def _user(self) -> str | None:
        """Who sends a token or a client certificate; the real one takes Kerberos, too, and no token."""
        sent = request.authorization
        with self._pagure.lock:
            if certificate := request.environ.get("SSL_CLIENT_CERT"):
                known = self._pagure.users.get(_common_name(certificate))
                return known.name if known else None
            user = self._pagure.by_token((sent.password or "") if sent and sent.type == "basic" else "")
        return user.name if user else None

    def _add_routes(self, app: Flask) -> None:
        @app.post("/repo/pkgs/upload.cgi")
        def upload() -> Response:
            user = self._user()
            if user is None:
                return _said("You must authenticate", 401)
            kind = next((one for one in HASHES if request.form.get(f"{one}sum")), None)
            package = request.form.get("name", "").strip("/")
            package = package if "/" in package else f"rpms/{package}"
            if kind is None or package == "rpms/":
                return _said("Required fields: name, sha512sum and filename or file", 400)
            file = request.files.get("file")
            name = secure_filename((file.filename if file else request.form.get("filename")) or "")
            if not name:
                return _said("Required checksum is not present for form variable file", 400)
            content = file.read() if file else b""
            archive = Archive(package, name, kind, request.form[f"{kind}sum"], content, user)
            if file is None:
                return _said("Available" if archive.path in self._archives else "Missing", 200)
            if hashlib.new(kind, content, usedforsecurity=False).hexdigest() != archive.hash:
                return _said(f"{kind}sum check failed. Received {archive.hash}", 500)
            self._archives[archive.path] = archive
            self._recorder.count("lookaside_upload", package, name, archive.hash)
            return _said(f"File {name} size {archive.size} {kind.upper()} {archive.hash} stored OK", 200)

        @app.get("/repo/pkgs/<path:path>")
        def download(path: str) -> Response:
            found = self._archives.get(f"/repo/pkgs/{path}")
            if found is None:
                return _said("Not Found", 404)
            return Response(found.content, mimetype="application/octet-stream")

        @app.get("/")
        def page() -> Any:
            return show("Lookaside cache", "Archives", PAGE, archives=self.archives)


def _common_name(certificate: str) -> str:
    subject = x509.load_pem_x509_certificate(certificate.encode()).subject
    return str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _said(text: str, status: int) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="sandbox"'} if status == 401 else {}
    return Response(f"{text}\n", status=status, headers=headers, mimetype="text/plain")
