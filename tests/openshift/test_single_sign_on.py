"""The component with which operators log in with OpenID Connect, and its file for compose."""

from __future__ import annotations

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from packit_worker.config.service import ServiceConfigError, load_service_config

from .conftest import OPENSHIFT, OVERLAYS, ROOT
from .processes_of import deployed, environment_of, mounted_secrets, secret_files
from .rendering import name_of, render
from .test_manifests import KUBERNETES

README = (OPENSHIFT / "README.md").read_text()
GUIDE = ROOT / "docs" / "operator" / "logging-in.md"
VARIABLE = "PACKIT_WORKER_OIDC_CLIENT_SECRET_FILE"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_with_it(tmp_path: Path, overlay: str) -> None:
    layer = {
        "resources": [str(OPENSHIFT / "overlays" / overlay)],
        "components": [str(OPENSHIFT / "single-sign-on")],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(layer))
    plain, made = render(OPENSHIFT / "overlays" / overlay), render(tmp_path)
    (policy,) = [each for each in made if name_of(each) == "web-to-provider"]
    kubernetes_validate.validate(policy, KUBERNETES, strict=True)
    # the same addresses inside are closed to it as to all others
    (others,) = [each["spec"] for each in plain if name_of(each) == "some-to-the-outside"]
    assert policy["spec"]["egress"][0]["to"] == others["egress"][0]["to"]

    web = deployed(made)["web"]
    kubernetes_validate.validate(web, KUBERNETES, strict=True)
    place = environment_of(web)[VARIABLE]
    secret, key = mounted_secrets(web)[place]
    assert f"`{secret}`" in README and f"`{key}`" in README
    for name, manifest in deployed(made).items():
        if name != "web":
            assert manifest == deployed(plain)[name], "it is web's affair alone"

    (config,) = [each for each in made if each["kind"] == "ConfigMap"]
    file = tmp_path / "service.yaml"
    file.write_text(config["data"]["service.yaml"] + guided("Fedora"))
    settings = load_service_config(file, secret_files(tmp_path, web))
    settings.check_for_serving()
    assert settings.has_single_sign_on and settings.trusted_proxies == 1
    without = load_service_config(file, secret_files(tmp_path, deployed(plain)["web"]))
    with pytest.raises(ServiceConfigError, match=VARIABLE.removesuffix("_FILE")):
        without.check_for_serving()


def test_over_compose(tmp_path: Path) -> None:
    below = yaml.safe_load((ROOT / "compose.yaml").read_text())
    over = yaml.safe_load((OPENSHIFT / "compose" / "single-sign-on.yaml").read_text())
    assert set(over["services"]) == {"web"} and set(over["services"]["web"]) <= set(below["services"]["web"])
    assert "-f openshift/compose/single-sign-on.yaml" in README
    (secret,) = over["secrets"]
    assert over["services"]["web"]["secrets"] == [secret] and secret not in below["secrets"]
    assert over["services"]["web"]["environment"] == {VARIABLE: f"/run/secrets/{secret}"}
    (tmp_path / secret).write_text("dummy")
    file = tmp_path / "service.yaml"
    file.write_text((OPENSHIFT / "compose" / "service.yaml").read_text() + guided("Keycloak"))
    settings = load_service_config(file, {VARIABLE: str(tmp_path / secret)})
    assert settings.has_single_sign_on and settings.trusted_proxies == 1


@pytest.mark.parametrize("provider", ["Fedora", "Keycloak"])
def test_what_the_guide_tells_to_write_is_taken(tmp_path: Path, provider: str) -> None:
    file = tmp_path / "service.yaml"
    file.write_text(guided(provider))
    oidc = load_service_config(file, {}).oidc
    assert oidc.issuer and oidc.client_id and oidc.groups


def guided(provider: str) -> str:
    """The YAML that the guide for operators has for a provider."""
    text = GUIDE.read_text().partition(f"\n## {provider}")[2]
    return "\n" + text.partition("```yaml\n")[2].partition("```")[0]
