"""deploy/clickhouse/users.d on the real engine: each user may do what its role needs, and no more.

The embedded engine reads the same file, but knows only the user `default`. So each test gives the
rights of one user to `default` and starts the engine, in a process of its own, on the same tables.
"""

import json
import re
import subprocess
import sys
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from schemas.topics import TABLES
from sinks import another_log
from sinks.migrate import read_migrations

ROOT = Path(__file__).parents[2]
SERVER_FILE = ROOT / "deploy/clickhouse/config.d/touchstream.xml"
USERS_FILE = ROOT / "deploy/clickhouse/users.d/touchstream.xml"
DATA_SOURCES = ROOT / "deploy/grafana/provisioning/datasources/touchstream.yml"
READABLE = [*TABLES.values(), "people", "session_touchpoints"]

OK, ACCESS_DENIED, READONLY = 0, 497, 164

_RUN = """
import json, re, sys, chdb
folder, config, statements = json.load(sys.stdin)
engine = chdb.connect(f"{folder}?config-file={config}")
codes = []
for statement in statements:
    try:
        engine.query(statement)
        codes.append(0)
    except RuntimeError as error:
        codes.append(int(re.search(r"Code: (\\d+)", str(error))[1]))
engine.close()
print(json.dumps(codes))
"""

pytestmark = pytest.mark.skipif(not find_spec("chdb"), reason="chdb is not installed")


def users_as(user: str) -> ET.Element:
    """Give the users file with `default` in the place of `user`, and what a stock server has."""
    config = ET.parse(USERS_FILE).getroot()  # noqa: S314  our own file
    users, profiles = config.find("users"), config.find("profiles")
    assert users is not None
    assert profiles is not None
    for old in users.findall("default"):
        users.remove(old)
    role = deepcopy(users.find(user)) if user else ET.fromstring(_EVERYTHING)  # noqa: S314
    assert role is not None
    role.tag = "default"
    users.append(role)
    for each in users:
        if each.find("password") is None:  # a server finds its hash in another file
            ET.SubElement(each, "password")
    ET.SubElement(profiles, "default")
    ET.SubElement(ET.SubElement(config, "quotas"), "default")
    # The embedded engine's `default` is a view of the file system: the tables are in another one.
    for grant in config.iter("query"):
        grant.text = (grant.text or "").replace("default.", "tables.")
    # Needs a server's switch (deploy/clickhouse/config.d) that the embedded engine does not have.
    for constraint in config.iterfind(".//constraints/*"):
        for switch in constraint.findall("changeable_in_readonly"):
            constraint.remove(switch)
    return config


_EVERYTHING = """<default><password/><profile>default</profile><quota>default</quota>
<networks><ip>::/0</ip></networks><access_management>1</access_management></default>"""

# With the rights of whoever inserts, the sink could not fill a view without reading the table.
_RUNS_AS_ITS_MAKER = """SELECT throwIf(create_table_query NOT LIKE '%SQL SECURITY DEFINER%')
FROM system.tables WHERE engine = 'MaterializedView'"""


def run_as(user: str, folder: Path, statements: list[str]) -> list[int]:
    """Run each statement with the rights of `user` (empty: all); give ClickHouse's error codes."""
    users = folder.parent / "users.xml"
    config = folder.parent / "config.xml"
    ET.ElementTree(users_as(user)).write(users)
    server = ET.parse(SERVER_FILE).getroot()  # noqa: S314
    ET.SubElement(server, "users_config").text = str(users)
    ET.ElementTree(server).write(config)
    done = subprocess.run(
        [sys.executable, "-c", _RUN],
        input=json.dumps([str(folder), str(config), ["USE tables", *statements]]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.splitlines()[-1])[1:])


def inserts() -> list[str]:
    row = """'{"site": "shop"}'"""
    return [f"INSERT INTO {table} FORMAT JSONEachRow {row[1:-1]}" for table in TABLES.values()]


def selects() -> list[str]:
    return [f"SELECT * FROM {name} LIMIT 1" for name in READABLE]  # noqa: S608


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables as the migrator makes them: views run with its rights (it is `default` just then)."""
    folder = tmp_path_factory.mktemp("users") / "data"
    assert run_as("", folder, ["CREATE DATABASE tables"]) == [OK]
    statements = [*(s for m in read_migrations() for s in m.statements), _RUNS_AS_ITS_MAKER]
    assert set(run_as("migrator", folder, statements)) == {OK}
    made = re.findall(r"CREATE MATERIALIZED VIEW (\w+)", "\n".join(statements))
    views = set(made) - set(re.findall(r"DROP VIEW IF EXISTS (\w+)", "\n".join(statements)))
    made_by = "MODIFY SQL SECURITY DEFINER DEFINER = migrator"
    assert set(run_as("", folder, [f"ALTER TABLE {v} {made_by}" for v in views])) == {OK}
    return folder


def test_the_sink_writes_every_table_and_reads_none(folder: Path) -> None:
    codes = run_as("sink", folder, inserts() + selects())
    assert codes == [OK] * len(inserts()) + [ACCESS_DENIED] * len(selects())


def test_the_sink_sees_which_log_the_facts_are_of(folder: Path) -> None:
    held = another_log.HELD.replace("{facts:Array(String)}", str([*another_log.FACTS]))
    assert run_as("sink", folder, [another_log.LOG, held, f"SELECT throwIf(({held}) = 0)"]) == [
        OK,
        OK,
        OK,
    ]


def test_the_sink_changes_no_table(folder: Path) -> None:
    statements = ["DROP TABLE sessions", "TRUNCATE TABLE sessions", "CREATE VIEW v AS SELECT 1"]
    assert run_as("sink", folder, statements) == [ACCESS_DENIED] * 3


@pytest.mark.parametrize("user", ["reader", "grafana"])
def test_who_reads_writes_nothing(folder: Path, user: str) -> None:
    codes = run_as(user, folder, selects() + inserts() + ["DROP TABLE sessions"])
    allowed, refused = codes[: len(selects())], codes[len(selects()) :]
    assert set(allowed) == {OK}
    assert set(refused) <= {ACCESS_DENIED, READONLY}


@pytest.mark.parametrize("user", ["sink", "reader", "grafana"])
def test_nobody_reaches_files_other_servers_or_the_list_of_users(folder: Path, user: str) -> None:
    statements = [
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT * FROM remote('127.0.0.1:1', 'system.one')",
        "SELECT * FROM system.users",
    ]
    assert set(run_as(user, folder, statements)) <= {ACCESS_DENIED, READONLY}


def test_grafana_sets_nothing_and_the_reader_may_limit_itself(folder: Path) -> None:
    statement = ["SELECT 1 SETTINGS max_threads = 1"]
    assert run_as("grafana", folder, statement) == [READONLY]
    assert run_as("reader", folder, statement) == [OK]


def test_grafana_may_set_the_time_limit_that_its_client_sends() -> None:
    """The client sends the data source's timeout plus 5 s."""
    constraint = ET.parse(USERS_FILE).find(".//dashboards/constraints/max_execution_time")  # noqa: S314
    assert constraint is not None
    assert constraint.find("changeable_in_readonly") is not None
    sources = yaml.safe_load(DATA_SOURCES.read_text())["datasources"]
    [timeout] = [int(s["jsonData"]["queryTimeout"]) for s in sources if s["uid"] == "clickhouse"]
    assert timeout + 5 <= int(constraint.findtext("max") or 0)


def test_no_password_stands_in_the_file() -> None:
    config = ET.parse(USERS_FILE).getroot()  # noqa: S314
    assert [p for user in config.iterfind("users/*") for p in user if "password" in p.tag] == []


def test_clickhouse_forgets_its_own_logs(tmp_path: Path) -> None:
    """Each log that the file names is a table that forgets; a server has their other settings."""
    server = ET.parse(SERVER_FILE).getroot()  # noqa: S314
    logs = [log for log in server if log.find("ttl") is not None]
    for log in logs:
        ET.SubElement(log, "database").text = "system"
        ET.SubElement(log, "table").text = log.tag
    ET.ElementTree(server).write(tmp_path / "config.xml")
    names = ", ".join(f"'{log.tag}'" for log in logs)
    asked = f"""SELECT throwIf(count() != {len(logs)}) FROM system.tables WHERE database = 'system'
AND name IN ({names}) AND engine_full LIKE '%TTL %_date + toIntervalDay(7)%'"""  # noqa: S608
    done = subprocess.run(
        [sys.executable, "-c", _RUN],
        input=json.dumps(
            [
                str(tmp_path / "data"),
                str(tmp_path / "config.xml"),
                ["SYSTEM FLUSH LOGS", asked],
            ]
        ),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [OK, OK]
