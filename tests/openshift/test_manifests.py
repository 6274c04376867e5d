"""The manifests are good ones: valid for Kubernetes and OpenShift, without rights, secrets or limits missing."""

from __future__ import annotations

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from .conftest import OPENSHIFT, OVERLAYS
from .processes_of import deployed
from .rendering import Manifest, containers, name_of, pod_of, render

KUBERNETES = "1.33"
#: Fields of route.openshift.io/v1 that are used: https://docs.openshift.com/container-platform/latest/rest_api/network_apis/route-route-openshift-io-v1.html
ROUTE: dict[str, Any] = {
    "host": str,
    "to": {"kind": str, "name": str},
    "port": {"targetPort": str},
    "tls": {
        "termination": {"edge", "passthrough", "reencrypt"},
        "insecureEdgeTerminationPolicy": {"Redirect"},
    },
}


def test_every_manifest_is_valid(manifests: list[Manifest]) -> None:
    for manifest in manifests:
        if manifest["apiVersion"] == "route.openshift.io/v1":
            _fits(manifest["spec"], ROUTE, "spec")
        else:
            kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def _fits(value: Any, shape: Any, path: str) -> None:
    if isinstance(shape, dict):
        assert set(value) <= set(shape), f"{path}: a Route has no {set(value) - set(shape)}"
        for key, each in value.items():
            _fits(each, shape[key], f"{path}.{key}")
    elif isinstance(shape, set):
        assert value in shape, path
    else:
        assert isinstance(value, shape), path


def test_the_validation_would_find_a_wrong_field(manifests: list[Manifest]) -> None:
    web = deployed(manifests)["web"]
    web["spec"]["template"]["spec"]["containers"][0]["livenessProbes"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(web, KUBERNETES, strict=True)


def test_every_pod_is_without_rights(overlay: str, manifests: list[Manifest]) -> None:
    for manifest in manifests:
        pod = pod_of(manifest)
        if pod is None:
            continue
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name_of(manifest)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for forbidden in ("hostNetwork", "hostPID", "hostIPC"):
            assert forbidden not in spec
        assert not [volume for volume in spec["volumes"] if "hostPath" in volume]
        for container in containers(manifest):
            context = dict(container["securityContext"])
            jailed = (name_of(manifest), overlay != "dev") == ("worker-long-running", True)
            assert context.pop("procMount", None) == ("Unmasked" if jailed else None)
            assert spec.get("hostUsers", True) is not jailed
            assert context == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }


def test_every_container_has_requests_limits_and_probes(manifests: list[Manifest]) -> None:
    for manifest in manifests:
        for container in containers(manifest):
            for kind in ("requests", "limits"):
                assert set(container["resources"][kind]) == {"cpu", "memory"}, name_of(manifest)
            if manifest["kind"] != "Job":
                assert container["livenessProbe"], name_of(manifest)
            ports = {port["name"] for port in container.get("ports", [])}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if "httpGet" in container.get(probe, {}):
                    assert container[probe]["httpGet"]["port"] in ports


def test_every_image_is_named_once_and_pinned(manifests: list[Manifest]) -> None:
    names = set()
    for manifest in manifests:
        for container in containers(manifest):
            image, _, tag = container["image"].rpartition(":")
            assert "/" in image and re.fullmatch(r"[0-9][0-9.]*", tag), container["image"]
            names.add(image)
    named = [
        image["newName"]
        for file in OPENSHIFT.rglob("kustomization.yaml")
        for image in yaml.safe_load(file.read_text()).get("images", [])
    ]
    assert len(set(named)) == len(named)
    assert names <= set(named)


def test_no_secret_stands_in_a_manifest(manifests: list[Manifest]) -> None:
    assert "Secret" not in {manifest["kind"] for manifest in manifests}
    for manifest in manifests:
        for container in containers(manifest):
            for variable in container.get("env", []):
                assert set(variable) == {"name", "value"}
                assert "valueFrom" not in variable
                if re.search("PASSWORD|TOKEN|SECRET|KEY|LOGIN|_URL", variable["name"]):
                    assert variable["value"].startswith("/run/secrets/"), variable["name"]


def test_what_is_selected_exists(manifests: list[Manifest]) -> None:
    pods = [pod["metadata"]["labels"] for manifest in manifests if (pod := pod_of(manifest))]
    for manifest in manifests:
        for selector in _selectors(manifest):
            assert any(selector.items() <= labels.items() for labels in pods), (name_of(manifest), selector)


def _selectors(value: Any) -> list[dict[str, str]]:
    """Every selector of pods in a manifest."""
    if isinstance(value, list):
        return [found for each in value for found in _selectors(each)]
    if not isinstance(value, dict):
        return []
    found = []
    for key, each in value.items():
        if key in ("podSelector", "selector") and each:
            # A Service has labels, all others matchLabels.
            found.append(each.get("matchLabels", each))
        elif key != "namespaceSelector":
            found += _selectors(each)
    return found


def _ports(manifests: list[Manifest], selector: dict[str, str]) -> dict[str, int]:
    return {
        port["name"]: port["containerPort"]
        for manifest in manifests
        if (pod := pod_of(manifest)) and selector.items() <= pod["metadata"]["labels"].items()
        for container in containers(manifest)
        for port in container.get("ports", [])
    }


def test_services_and_the_ways_in_lead_somewhere(manifests: list[Manifest]) -> None:
    services = {name_of(each): each for each in manifests if each["kind"] == "Service"}
    for service in services.values():
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in _ports(manifests, service["spec"]["selector"])
    ways = [each for each in manifests if each["kind"] in ("Route", "Ingress")]
    assert len(ways) == 1
    web = {port["name"] for port in services["web"]["spec"]["ports"]}
    for way in ways:
        if way["kind"] == "Route":
            assert (way["spec"]["to"]["name"], way["spec"]["port"]["targetPort"] in web) == ("web", True)
        else:
            (rule,) = way["spec"]["rules"]
            (path,) = rule["http"]["paths"]
            assert path["backend"]["service"]["name"] == "web"
            assert path["backend"]["service"]["port"]["name"] in web


def test_nobody_talks_to_anybody_but_for_the_policies(overlay: str, manifests: list[Manifest]) -> None:
    policies = {name_of(each): each["spec"] for each in manifests if each["kind"] == "NetworkPolicy"}
    assert policies["nobody-to-nobody"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for spec in policies.values():
        for rule in spec.get("ingress", []):
            assert rule["from"] and rule["ports"]
            open_ports = set(_ports(manifests, spec["podSelector"]["matchLabels"]).values())
            assert {port["port"] for port in rule["ports"]} <= open_ports
        for rule in spec.get("egress", []):
            assert rule["to"] and rule["ports"]
    # Both ends of what the service needs are open, the broker's and the database's.
    into = {name for name, spec in policies.items() if spec["policyTypes"] == ["Ingress"]}
    assert into == {"broker-from-service", "web-from-outside"} | (
        {"database-from-service"} if overlay != "prod" else set()
    )
    assert {"service-to-broker", "service-to-database", "some-to-the-outside"} <= set(policies)
    # Who reads what strangers send has no way to the outside.
    outside = {
        name
        for name, manifest in deployed(manifests).items()
        if "packit-worker/goes" in manifest["spec"]["template"]["metadata"]["labels"]
    }
    assert outside == {*("worker-short-running", "worker-long-running", "worker-report"), "sweeper", "bus"}


def test_budgets_and_autoscalers_are_for_what_there_is_more_than_one_of() -> None:
    manifests = render(OPENSHIFT / "overlays" / "prod")
    workloads = deployed(manifests)
    scaled = {
        each["spec"]["scaleTargetRef"]["name"]
        for each in manifests
        if each["kind"] == "HorizontalPodAutoscaler"
    }
    for name in scaled:
        assert "replicas" not in workloads[name]["spec"], "an apply would undo what the autoscaler has done"
    budgets = {name_of(each): each["spec"] for each in manifests if each["kind"] == "PodDisruptionBudget"}
    assert set(budgets) == {"web", "worker-short-running", "sweeper"}
    assert all(spec["maxUnavailable"] == 1 for spec in budgets.values())


def test_all_overlays_are_known() -> None:
    assert OVERLAYS == ["dev", "kubernetes", "prod", "stg"]
