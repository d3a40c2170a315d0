"""Looking at dead letters. Shell: asks ClickHouse."""

from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from pipeline.operations.dead_letters import letter_of
from schemas.dead_letter import DeadLetter
from schemas.errors import Unusable

_WHERE = """
WHERE ({site:String} = '' OR site = {site:String})
    AND ({stage:String} = '' OR stage = {stage:String})
    AND ({reason:String} = '' OR reason = {reason:String})
"""
_COLUMNS = (
    "dead_letter_id, site, stage, reason, detail, source, position, payload, encoding, at, request"
)


class NoSuchLetter(Unusable):
    """No dead letter has this id; the text says how to find one."""


class Count(NamedTuple):
    """How many dead letters of a site a stage has made for one reason."""

    site: str
    stage: str
    reason: str
    letters: int


def counts(client: Client, site: str, stage: str, reason: str) -> list[Count]:
    """Count the letters, the most frequent kind first; empty means all."""
    sql = f"""
        SELECT site, stage, reason, count() AS letters FROM dead_letters FINAL {_WHERE}
        GROUP BY site, stage, reason ORDER BY letters DESC, site, stage, reason
    """  # noqa: S608 - our own text
    which = {"site": site, "stage": stage, "reason": reason}
    return [Count(*row) for row in client.query(sql, parameters=which).result_rows]


def newest(client: Client, site: str, stage: str, reason: str, most: int) -> list[DeadLetter]:
    """Give the newest letters, at most `most`."""
    sql = f"""
        SELECT {_COLUMNS} FROM dead_letters FINAL {_WHERE} ORDER BY at DESC LIMIT {{most:UInt32}}
    """  # noqa: S608 - our own text
    which = {"site": site, "stage": stage, "reason": reason, "most": most}
    return [*map(letter_of, client.query(sql, parameters=which).result_rows)]


def find(client: Client, dead_letter_id: str) -> DeadLetter:
    """Give one letter.

    Raises:
        NoSuchLetter: there is none of this id.
    """
    sql = f"SELECT {_COLUMNS} FROM dead_letters FINAL WHERE dead_letter_id = {{id:String}}"  # noqa: S608
    rows = client.query(sql, parameters={"id": dead_letter_id}).result_rows
    if not rows:
        raise NoSuchLetter(
            f"there is no dead letter {dead_letter_id}: `touchstream dead-letters list` lists them"
        )
    return letter_of(rows[0])
