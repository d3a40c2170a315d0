"""Why a person is in a phase: every move of a journey, read from ClickHouse. Prints nothing."""

from dataclasses import dataclass
from datetime import datetime

from clickhouse_connect.driver.client import Client

from schemas.errors import Unusable

_MOVES = """
SELECT t.site, t.person_id, t.visitor_id, t.model, t.cycle, t.kind, t.from_phase, t.to_phase, t.at,
    t.touchpoint_name, t.channel, p.path, t.rule, t.rule_version
FROM (SELECT * FROM person_transitions WHERE (site, person_id) IN (
    SELECT site, person_id FROM person_transitions
    WHERE ({site:String} = '' OR site = {site:String}) AND
        if({visitor:String} = '',
            person_id = {person:String} OR visitor_id = {user:String} OR (site, person_id) IN (
                SELECT site, person_id FROM identities FINAL WHERE visitor_id = {user:String}),
            visitor_id = {visitor:String}))) AS t
LEFT JOIN (SELECT site, visitor_id, touchpoint_id, path FROM touchpoints FINAL) AS p
    ON t.site = p.site AND t.visitor_id = p.visitor_id AND t.touchpoint_id = p.touchpoint_id
WHERE {model:String} = '' OR t.model = {model:String}
ORDER BY t.site, t.person_id, t.model, t.at, t.turn, t.touchpoint_id
"""


@dataclass(frozen=True)
class Move:
    """A transition, and the page of the touchpoint that caused it."""

    site: str
    person_id: str
    visitor_id: str
    model: str
    cycle: int
    kind: str
    from_phase: str
    to_phase: str
    at: datetime
    touchpoint_name: str
    channel: str
    path: str
    rule: str
    rule_version: str


class NobodyFound(Unusable):
    """No journey of this person is known; the text says where to look."""


def read_moves(
    client: Client, *, person: str = "", visitor: str = "", model: str = "", site: str = ""
) -> list[Move]:
    """Read the moves of a person, by site, person, model and time.

    `person` is the id of a person or a user id; `visitor` is one of the person's visitors. An empty
    `model` or `site` stands for all.

    Raises:
        NobodyFound: this person has no transition.
    """
    asked = {"person": person, "visitor": visitor, "model": model, "site": site}
    asked["user"] = f"user:{person}"
    moves = [Move(*row) for row in client.query(_MOVES, parameters=asked).result_rows]
    if not moves:
        raise NobodyFound(
            f"no transition of {person or visitor}{model and f' in the model {model}'}: the "
            "view person_transitions lists the known ids, as person_id and visitor_id"
        )
    return moves
