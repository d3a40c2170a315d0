"""deploy/helm/touchstream against the settings, and rendered against the schemas of Kubernetes.

What needs Helm and the schemas is skipped where `make chart-tools` has not fetched them. No cluster
runs here: that the manifests are accepted is checked, and not what a cluster makes of them.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from pipeline.cli.commands import COMMANDS
from pipeline.cli.health import PROBES
from pipeline.settings import Settings
from schemas.topics import ALL
from tests.support import chart
from tests.support.chart import CHART, HELM, ROOT, SCHEMAS, container, of_kind
from tests.support.docs import blocks

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
FACTS = chart.facts()
ROLES = sorted(VALUES["roles"])
EVERYTHING: dict[str, Any] = {
    "kafka": {"bootstrapServers": "kafka:9092", "prefix": "team."},
    "roles": {"drain": {"enabled": True}, "webhook": {"enabled": True}},
    "keda": {"enabled": True, "authentication": "kafka"},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "collector": {"host": "t.shop.example", "tlsSecret": "t-tls"},
        "live": {"host": "live.shop.example"},
    },
    "networkPolicy": {
        "visitors": [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}],
        "metrics": [{"podSelector": {"matchLabels": {"app": "prometheus"}}}],
        "kafka": {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [9092]},
    },
    "config": 'journey_models = ["/etc/touchstream/own.toml"]\n',
    "files": {"own.toml": "# a model\n"},
    "otel": {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318", "OTEL_TRACES_SAMPLER_ARG": "0.1"},
    "imagePullSecrets": ["registry"],
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "stream", "operator": "Exists"}],
}
ONE_READER = {"tracker", "sink", "drain", "watch", "webhook"}

_rendered = pytest.mark.skipif(
    not (Path(HELM).exists() and SCHEMAS.exists()),
    reason="`make chart-tools` fetches Helm and the schemas of Kubernetes (needs Go)",
)


@pytest.fixture(scope="module")
def usual() -> list[chart.Manifest]:
    return chart.manifests({})


@pytest.fixture(scope="module")
def everything() -> list[chart.Manifest]:
    return chart.manifests(EVERYTHING)


def test_the_chart_carries_the_version_of_the_package() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    told = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (told["version"], told["appVersion"]) == (version, version)


def test_the_values_are_those_that_their_schema_knows() -> None:
    filled = VALUES | {name: VALUES[name] | value for name, value in chart.REQUIRED.items()}
    assert list(jsonschema_rs.validator_for(SCHEMA).iter_errors(filled)) == []
    assert VALUES.keys() == SCHEMA["properties"].keys() - {"global"}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_listens_where_its_settings_say(role: str) -> None:
    fact, probe = FACTS[role], PROBES[FACTS[role]["command"]]
    assert fact["port"] == Settings.model_fields[probe.port].default
    assert fact["host"] == f"TOUCHSTREAM_{probe.host.upper()}"
    assert fact.get("live", "/healthz/live") == probe.path


def test_each_fact_names_a_command_a_group_and_a_topic_that_exist() -> None:
    assert FACTS.keys() == {*VALUES["roles"], *VALUES["jobs"]}
    assert {fact["command"] for fact in FACTS.values()} <= COMMANDS.keys()
    groups = {role: FACTS[role]["group"] for role in FACTS if "group" in FACTS[role]}
    fields = Settings.model_fields
    assert groups == {role: fields[f"{role}_group"].default for role in ("tracker", "sink")}
    assert FACTS["tracker"]["topic"] in {topic.name for topic in ALL}


@_rendered
@pytest.mark.parametrize("version", ["1.30.0", "1.37.0"])
@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["usual", "everything"])
def test_kubernetes_knows_every_field(values: dict[str, Any], version: str) -> None:
    sent = chart.manifests(values, version=version)
    known = [manifest for manifest in sent if manifest["kind"] != "ScaledObject"]
    assert [fault for manifest in known for fault in chart.faults(manifest, version)] == []
    assert len(known) > 15


@_rendered
def test_the_example_of_the_docs_is_rendered() -> None:
    [example] = blocks("kubernetes", "yaml")
    sent = chart.manifests(yaml.safe_load(example))
    assert of_kind("Ingress", sent).keys() == {"collector", "live"}
    config = of_kind("ConfigMap", sent)["config"]["data"]
    assert tomllib.loads(config["touchstream.toml"]).keys() <= Settings.model_fields.keys()


def test_the_docs_name_the_secret_of_each_role_and_settings_that_exist() -> None:
    page = (ROOT / "docs/kubernetes.md").read_text()
    secrets = {part["secret"] for part in (*VALUES["roles"].values(), *VALUES["jobs"].values())}
    assert {name for name in secrets if f"`{name}`" not in page} == set()
    named = set(re.findall(r"`touchstream_(\w+)`", page))
    assert named - Settings.model_fields.keys() == set()
    assert "write_keys" in named


@_rendered
def test_a_field_that_kubernetes_does_not_know_is_found(usual: list[chart.Manifest]) -> None:
    wrong = {**of_kind("Service", usual)["collector"], "spec": {"prots": []}}
    assert len(list(chart.faults(wrong, "1.37.0"))) == 1


@_rendered
@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"kafka": {}}, "/kafka/bootstrapServers"),
        ({"clickhouse": {"url": "clickhouse:9000"}}, "/clickhouse/url"),
        ({"roles": {"watch": {"replicas": 2}}}, "/roles/watch/replicas"),
        ({"replicaCount": 3}, "replicaCount"),
    ],
)
def test_wrong_values_are_refused_by_name(values: dict[str, Any], complaint: str) -> None:
    refused = chart.render(chart.REQUIRED | values)
    assert (refused.returncode != 0, complaint in refused.stderr) == (True, True)


@_rendered
@pytest.mark.parametrize("role", [*ROLES, "topics", "migrate"])
def test_the_settings_of_a_pod_are_settings(
    everything: list[chart.Manifest],
    role: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manifest = (of_kind("Deployment", everything) | of_kind("Job", everything))[role]
    for variable in container(manifest)["env"]:
        monkeypatch.setenv(variable["name"], variable["value"])
    monkeypatch.setenv("TOUCHSTREAM_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("TOUCHSTREAM_CONFIG", str(tmp_path / "touchstream.toml"))
    (tmp_path / "touchstream.toml").write_text("")
    if fact := FACTS[role].get("host"):
        name = fact.removeprefix("TOUCHSTREAM_").lower()
        assert str(getattr(Settings(), name)) == "0.0.0.0"
    assert Settings().kafka_partitions == VALUES["kafka"]["partitions"]


@_rendered
@pytest.mark.parametrize("role", [*ROLES, "topics", "migrate"])
def test_a_pod_has_no_rights_and_gets_no_variables_of_services(
    everything: list[chart.Manifest], role: str
) -> None:
    manifest = (of_kind("Deployment", everything) | of_kind("Job", everything))[role]
    pod = manifest["spec"]["template"]["spec"]
    # TOUCHSTREAM_COLLECTOR_PORT would be tcp://10.0.0.1:80.
    assert (pod["enableServiceLinks"], pod["automountServiceAccountToken"]) == (False, False)
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (
        True,
        10001,
    )
    assert container(manifest)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@_rendered
@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_asked_for_progress_and_has_time_to_stop(
    everything: list[chart.Manifest], role: str
) -> None:
    deployment = of_kind("Deployment", everything)[role]
    asked = container(deployment)
    probe = PROBES[FACTS[role]["command"]]
    assert asked["args"] == [FACTS[role]["command"]]
    assert asked["livenessProbe"]["httpGet"] == {"path": probe.path, "port": "http"}
    assert asked["ports"] == [{"name": "http", "containerPort": FACTS[role]["port"]}]
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= 30
    surge = deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
    assert surge == (0 if role in ONE_READER else 1)


@_rendered
def test_readers_of_partitions_are_scaled_by_their_lag_and_never_beyond_partitions(
    everything: list[chart.Manifest],
) -> None:
    scaled = of_kind("ScaledObject", everything)
    assert scaled.keys() == {"tracker", "sink"}
    for role, manifest in scaled.items():
        spec = manifest["spec"]
        deployment = of_kind("Deployment", everything)[role]
        assert spec["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
        assert "replicas" not in deployment["spec"]
        assert spec["maxReplicaCount"] == VALUES["kafka"]["partitions"]
        assert spec["triggers"][0]["metadata"]["consumerGroup"] == f"team.{FACTS[role]['group']}"
        assert spec["triggers"][0]["authenticationRef"] == {"name": "kafka"}


@_rendered
def test_no_secret_is_in_what_is_rendered(everything: list[chart.Manifest]) -> None:
    assert of_kind("Secret", everything) == {}
    deployments = of_kind("Deployment", everything)
    mounted = {
        role: [v["secret"]["secretName"] for v in volumes if "secret" in v]
        for role, volumes in (
            (role, deployment["spec"]["template"]["spec"]["volumes"])
            for role, deployment in deployments.items()
        )
    }
    assert mounted == {role: [VALUES["roles"][role]["secret"]] for role in ROLES}


@_rendered
def test_each_pod_reaches_what_it_needs_and_is_reached_by_whom_it_serves(
    everything: list[chart.Manifest],
) -> None:
    policies = {role: m["spec"] for role, m in of_kind("NetworkPolicy", everything).items()}
    assert policies.keys() == FACTS.keys()
    ports = {
        role: {port["port"] for rule in spec["egress"] for port in rule["ports"]} - {53}
        for role, spec in policies.items()
    }
    kafka, clickhouse, alertmanager, otel = {9092}, {8123, 8443}, {9093}, {4317, 4318}
    assert ports == {
        "collector": kafka | otel,
        "tracker": kafka | otel,
        "drain": kafka,
        "sink": kafka | clickhouse | otel,
        "watch": kafka | clickhouse | alertmanager,
        "live": clickhouse | {8080},
        "webhook": kafka | {443},
        "topics": kafka,
        "migrate": clickhouse,
    }
    assert policies["tracker"]["ingress"][0]["from"] == EVERYTHING["networkPolicy"]["metrics"]
    assert (
        policies["collector"]["ingress"][0]["from"][:1] == EVERYTHING["networkPolicy"]["visitors"]
    )
    assert policies["migrate"]["ingress"] == []


@_rendered
def test_each_pod_reads_the_configuration_that_is_there_when_it_starts(
    everything: list[chart.Manifest],
) -> None:
    config = of_kind("ConfigMap", everything)
    assert config["config"]["data"] == config["job-config"]["data"]
    assert "annotations" not in config["config"]["metadata"]  # so that a rollback brings it back
    pods = of_kind("Deployment", everything) | of_kind("Job", everything)
    read = {
        role: [v["configMap"]["name"] for v in pod["spec"]["template"]["spec"]["volumes"][1:2]]
        for role, pod in pods.items()
    }
    jobs = {job: ["shop-job-config"] for job in VALUES["jobs"]}
    assert read == {role: ["shop-config"] for role in ROLES} | jobs


@_rendered
def test_topics_and_tables_are_there_before_the_roles(usual: list[chart.Manifest]) -> None:
    hooks = {
        (manifest["kind"], role): manifest["metadata"]["annotations"]
        for kind in ("Job", "ConfigMap", "NetworkPolicy")
        for role, manifest in of_kind(kind, usual).items()
        if "annotations" in manifest["metadata"]
    }
    assert {annotations["helm.sh/hook"] for annotations in hooks.values()} == {
        "pre-install,pre-upgrade"
    }
    weights = {what: int(hook["helm.sh/hook-weight"]) for what, hook in hooks.items()}
    assert weights["ConfigMap", "job-config"] < weights["Job", "topics"]
    assert weights["NetworkPolicy", "migrate"] < weights["Job", "migrate"]


@_rendered
def test_variables_of_opentelemetry_reach_the_roles_that_have_traces(
    usual: list[chart.Manifest], everything: list[chart.Manifest]
) -> None:
    told = {
        name: {v["name"] for v in container(deployment)["env"]} & EVERYTHING["otel"].keys()
        for name, deployment in of_kind("Deployment", everything).items()
    }
    assert {name for name, found in told.items() if found} == {"collector", "tracker", "sink"}
    for policy in of_kind("NetworkPolicy", usual).values():
        assert {"port": 4318} not in [p for rule in policy["spec"]["egress"] for p in rule["ports"]]


@_rendered
def test_the_example_of_traces_is_rendered() -> None:
    [example] = blocks("tracing", "yaml")
    sent = chart.manifests(yaml.safe_load(example))
    config = of_kind("ConfigMap", sent)["config"]["data"]
    assert tomllib.loads(config["touchstream.toml"]) == {"tracing": True}
