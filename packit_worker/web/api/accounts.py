"""Who may use the service: ``/api/allowlist`` (also by its first name, ``whitelist``), ``/api/installations``."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from packit_worker.journal import accounts
from packit_worker.journal.accounts import AccountRow, InstallationRow
from packit_worker.web.door import the_door

blueprint = Blueprint("accounts", __name__, url_prefix="/api", description="Accounts and installations")

#: Nobody is known by that name.
NO_CONTENT = 204
_LARGEST = 2**63 - 1


class AccountSchema(Schema):
    """An account or namespace on a forge, and where it stands."""

    account = fields.String()
    forge = fields.String(metadata={"description": "The forge's host."})
    status = fields.String(
        metadata={"description": "waiting, approved_automatically, approved_manually or denied."}
    )


class InstallationSchema(Schema):
    """An installation of the GitHub App."""

    installation_id = fields.Integer()
    account_login = fields.String()
    account_id = fields.Integer(allow_none=True)
    account_type = fields.String(allow_none=True)
    account_url = fields.String(allow_none=True)
    sender_login = fields.String(allow_none=True)
    sender_id = fields.Integer(allow_none=True)
    created_at = fields.String(allow_none=True, metadata={"description": "As GitHub told it."})


@blueprint.get("/allowlist")
@blueprint.response(200, AccountSchema(many=True))
def allowlist() -> Any:
    """Every account that is known, by forge and name."""
    return [_account(row) for row in the_door().read(accounts.everyone)]


@blueprint.get("/allowlist/<string:login>")
@blueprint.response(200, AccountSchema)
@blueprint.alt_response(NO_CONTENT, description="No account is known by this name.")
def account(login: str) -> Any:
    """Where an account stands; known on several forges, the one that was changed last."""
    found = the_door().read(lambda session: accounts.named(session, login))
    return _account(found[0]) if found else Response(status=NO_CONTENT)


@blueprint.get("/whitelist")
@blueprint.response(200, AccountSchema(many=True))
@blueprint.doc(deprecated=True)
def whitelist() -> Any:
    """The same as /api/allowlist."""
    return allowlist()


@blueprint.get("/whitelist/<string:login>")
@blueprint.response(200, AccountSchema)
@blueprint.alt_response(NO_CONTENT, description="No account is known by this name.")
@blueprint.doc(deprecated=True)
def on_whitelist(login: str) -> Any:
    """The same as /api/allowlist/LOGIN."""
    return account(login)


@blueprint.get("/installations")
@blueprint.response(200, InstallationSchema(many=True))
def installations() -> Any:
    """Installations of the App, newest first."""
    return [_installation(row) for row in the_door().read(accounts.installations)]


@blueprint.get("/installations/<int:installation_id>")
@blueprint.response(200, InstallationSchema)
@blueprint.alt_response(NO_CONTENT, description="The App has no installation of this number.")
def installation(installation_id: int) -> Any:
    """An installation of the App."""
    row = the_door().read(
        lambda session: session.get(InstallationRow, installation_id) if installation_id <= _LARGEST else None
    )
    return _installation(row) if row else Response(status=NO_CONTENT)


def _account(row: AccountRow) -> dict[str, str]:
    return {"account": row.name, "forge": row.forge, "status": row.state}


def _installation(row: InstallationRow) -> dict[str, Any]:
    return {
        "installation_id": row.installation_id,
        "account_login": row.account_login,
        "account_id": row.account_id,
        "account_type": row.account_type,
        "account_url": row.account_url,
        "sender_login": row.sender_login,
        "sender_id": row.sender_id,
        "created_at": row.installed_at,
    }
