"""Tables for a cluster of replicas: the real engine reads each statement and makes each table.

The engine runs alone, with ClickHouse's own stand-in for Keeper. So a table is made without
`ON CLUSTER`, which would need a second server, and its path has names in the place of `{uuid}`.
"""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from schemas.questions import questions
from sinks.cluster import on_cluster
from sinks.migrate import read_migrations

STATEMENTS = [
    *(statement for migration in read_migrations() for statement in migration.statements),
    *(question.view for question in questions().values() if question.kind != "live"),
]
ON_CLUSTER = " ON CLUSTER `shop-1`"
TABLES = [s for s in STATEMENTS if s.startswith("CREATE TABLE")]

_CONFIG = """<clickhouse>
<zookeeper><implementation>testkeeper</implementation></zookeeper>
<default_replica_path>/tables/{database}/{table}</default_replica_path>
<default_replica_name>one</default_replica_name>
</clickhouse>"""
_RUN = """
import json, os, sys, chdb
folder, statements = json.load(sys.stdin)
engine = chdb.connect(f"{folder}/data?config-file={folder}/config.xml")
print(json.dumps([str(engine.query(statement)) for statement in statements]), flush=True)
os._exit(0)  # it would wait long for what its replicas do in the background
"""


def ask(folder: Path, *statements: str) -> list[str]:
    """Run the statements in an engine of their own; give the answers."""
    (folder / "config.xml").write_text(_CONFIG)
    done = subprocess.run(
        [sys.executable, "-c", _RUN],
        input=json.dumps([str(folder), statements]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.mark.skipif(not find_spec("chdb"), reason="chdb is not installed")
def test_the_engine_reads_every_statement_and_makes_every_table_as_a_replica(
    tmp_path: Path,
) -> None:
    changed = [on_cluster(statement, "shop-1") for statement in STATEMENTS]
    made = [on_cluster(statement, "shop-1").replace(ON_CLUSTER, "") for statement in TABLES]
    answers = ask(
        tmp_path,
        *(f"EXPLAIN AST {statement}" for statement in changed),
        *("CREATE DATABASE tables", "USE tables", *made),
        "SELECT engine, count() FROM system.tables WHERE database = 'tables' GROUP BY 1 ORDER BY 1",
    )
    engines = dict(line.split(",") for line in answers[-1].splitlines())
    assert engines.keys() == {
        '"ReplicatedAggregatingMergeTree"',
        '"ReplicatedMergeTree"',
        '"ReplicatedReplacingMergeTree"',
    }
    assert sum(map(int, engines.values())) == len(TABLES)


def test_each_statement_but_an_insert_is_run_on_the_cluster() -> None:
    changed = [on_cluster(statement, "shop-1") for statement in STATEMENTS]
    inserts = [statement for statement in changed if statement.startswith("INSERT")]
    assert [s for s in changed if s.count(ON_CLUSTER) != 1] == inserts
    assert [s for s in changed if "non_replicated" in s] == []


def test_without_a_cluster_nothing_changes() -> None:
    assert [on_cluster(statement, "") for statement in STATEMENTS] == STATEMENTS
