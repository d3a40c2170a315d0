"""The Helm chart as a cluster gets it: rendered by Helm, beside the schemas of Kubernetes.

`make chart-tools` fetches both into .cache: Helm is built from its Go module, and the schemas come
with the package kubernetes-validate. Neither is needed to use the chart.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/touchstream"
SCHEMAS = ROOT / ".cache/kubernetes/kubernetes_validate/kubernetes-json-schema"
HELM = shutil.which("helm") or str(ROOT / ".cache/bin/helm")

REQUIRED = {"kafka": {"bootstrapServers": "kafka:9092"}, "clickhouse": {"url": "http://ch:8123"}}

Manifest = dict[str, Any]


def facts() -> dict[str, dict[str, Any]]:
    """Read what the chart says of each role, whatever its values."""
    text = (CHART / "templates/_facts.tpl").read_text()
    _, _, after = text.partition('{{- define "touchstream.facts" -}}\n')
    read: dict[str, dict[str, Any]] = yaml.safe_load(after.partition("{{- end }}")[0])
    return read


def render(values: dict[str, Any], *, version: str = "1.37.0") -> subprocess.CompletedProcess[str]:
    """Run `helm template` with `values` for a cluster of a version."""
    return subprocess.run(
        [HELM, "template", "shop", CHART, "--values", "-", "--kube-version", version],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=False,
    )


def manifests(values: dict[str, Any], *, version: str = "1.37.0") -> list[Manifest]:
    """Render the chart; give what is sent to the cluster."""
    rendered = render(REQUIRED | values, version=version)
    assert rendered.returncode == 0, rendered.stderr
    return [manifest for manifest in yaml.safe_load_all(rendered.stdout) if manifest]


def of_kind(kind: str, sent: list[Manifest]) -> dict[str, Manifest]:
    """Give the manifests of a kind by their component."""
    label = "app.kubernetes.io/component"
    return {m["metadata"]["labels"][label]: m for m in sent if m["kind"] == kind}


def container(manifest: Manifest) -> dict[str, Any]:
    """Give the one container of a Deployment or a Job."""
    [only] = manifest["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = only
    return found


def faults(manifest: Manifest, version: str) -> Iterator[str]:
    """Name what Kubernetes does not know or would refuse."""
    for error in _validator(manifest["apiVersion"], manifest["kind"], version).iter_errors(
        manifest
    ):
        yield f"{manifest['kind']} {manifest['metadata']['name']}: {error.message}"


@cache
def _validator(api: str, kind: str, version: str) -> jsonschema_rs.Validator:
    group, _, of = api.rpartition("/")
    name = "-".join(filter(None, (kind.lower(), group.split(".")[0], of)))
    folder = SCHEMAS / f"v{version}-local-strict"
    schema = json.loads((folder / f"{name}.json").read_text())
    return jsonschema_rs.validator_for(schema, registry=_definitions(folder))


@cache
def _definitions(folder: Path) -> jsonschema_rs.Registry:
    """Give what the schemas of a version share, under the name that they call it by."""
    shared = json.loads((folder / "_definitions.json").read_text())
    return jsonschema_rs.Registry([("https://kubernetes.io/api/_definitions.json", shared)])
