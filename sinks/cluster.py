"""PURE: our SQL for a cluster of replicas, where each ClickHouse server holds every table.

An engine becomes its `Replicated` form, and a statement that changes a table or view is run
`ON CLUSTER`. The path in Keeper is the server's `default_replica_path`; its macro `{uuid}` is the
same everywhere, since one statement makes a table on all replicas.
https://clickhouse.com/docs/engines/table-engines/mergetree-family/replication
"""

import re

_OBJECT = re.compile(
    r"\A(\s*(?:CREATE(?: OR REPLACE)?|ALTER|DROP) (?:TABLE|MATERIALIZED VIEW|VIEW|DICTIONARY)"
    r"(?: IF (?:NOT )?EXISTS)? \w+)"
)
_ENGINE = re.compile(r"^(ENGINE = )(\w*MergeTree)", re.MULTILINE)
_WINDOW = re.compile(r"\bnon_(replicated_deduplication_window)\b")


def on_cluster(statement: str, cluster: str) -> str:
    """Give `statement` for the replicas of `cluster`; as it is, if that is empty.

    An `INSERT` stays as it is: the replicas get its rows from each other.
    """
    if not cluster:
        return statement
    everywhere = _OBJECT.sub(rf"\1 ON CLUSTER `{cluster}`", statement)
    return _WINDOW.sub(r"\1", _ENGINE.sub(r"\1Replicated\2", everywhere))
