"""The provider of OpenID Connect in the service's configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from packit_worker.config.service import ServiceConfigError, from_mapping, load_service_config

ISSUER = "https://id.example.org/openidc/"
GIVEN = {"issuer": ISSUER, "client_id": "packit", "groups": ["packit"]}
DOOR = {"github": {"webhook_secret": "x"}, "testing_farm": {"callback_token": "y"}}
SECRET = "known-to-nobody-but-us"


def test_without_one() -> None:
    config = from_mapping(DOOR)
    assert (config.oidc.issuer, config.has_single_sign_on, config.trusted_proxies) == (None, False, 0)
    config.check_for_serving()


def test_a_provider(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    path = tmp_path / "service.yaml"
    path.write_text(
        f"trusted_proxies: 1\noidc: {{issuer: {ISSUER}, client_id: packit, client_secret_file: secret,"
        " groups: [packit], people: [carol], scopes: [openid, groups]}\n"
    )
    config = load_service_config(path, {})
    assert config.has_single_sign_on and config.trusted_proxies == 1
    assert (config.oidc.issuer, config.oidc.host) == (ISSUER, "id.example.org"), "the slash stays"
    assert (config.oidc.groups, config.oidc.people) == (("packit",), ("carol",))
    assert config.oidc.scopes == ("openid", "groups")
    assert (config.oidc.name_claim, config.oidc.groups_claim) == ("preferred_username", "groups")
    assert SECRET in config.secrets() and SECRET not in repr(config)


def test_the_secret_is_the_doors() -> None:
    config = from_mapping(DOOR | {"oidc": GIVEN})
    assert not config.has_single_sign_on, "other processes have the file, and not the secret"
    with pytest.raises(ServiceConfigError, match=r"oidc\.client_secret.*PACKIT_WORKER_OIDC_CLIENT_SECRET"):
        config.check_for_serving()
    from_mapping(DOOR | {"oidc": GIVEN | {"client_secret": SECRET}}).check_for_serving()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"client_id": None}, "oidc.client_id: is missing"),
        ({"client_id": ""}, "oidc.client_id: may not be empty"),
        ({"client_secret": ""}, "oidc.client_secret: may not be empty"),
        ({"groups": []}, "nobody would be an operator"),
        ({"groups": "packit"}, "oidc.groups: has to be a list"),
        ({"scopes": ["profile"]}, "has to have openid among them"),
        ({"issuer": "id.example.org"}, "the URL that the provider calls itself"),
        ({"issuer": "https://id.example.org/?realm=x"}, "the URL that the provider calls itself"),
        ({"issuer": "https://[id"}, "the URL that the provider calls itself"),
        ({"issuer": "http://id.example.org/"}, "has to start with https://"),
        ({"issuer": "http://127.evil.example/"}, "has to start with https://"),
        ({"isuer": ISSUER}, "issuer"),
        ({"name_claim": ""}, "oidc.name_claim: may not be empty"),
    ],
    ids=str,
)
def test_what_nobody_could_log_in_with(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ServiceConfigError) as caught:
        from_mapping({"oidc": GIVEN | wrong})
    assert said in str(caught.value)


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:8080", "http://localhost/realm", "http://[::1]/"])
def test_a_provider_on_this_machine_needs_no_certificate(issuer: str) -> None:
    assert from_mapping({"oidc": GIVEN | {"issuer": issuer}}).oidc.issuer == issuer


def test_proxies_are_counted() -> None:
    with pytest.raises(ServiceConfigError, match=r"trusted_proxies.*has to be 0 or more"):
        from_mapping({"trusted_proxies": -1})
