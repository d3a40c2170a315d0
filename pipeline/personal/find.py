"""A person's rows in ClickHouse: find, count and export them. Decides nothing about them.

A person is a set of *names*: its visitors, and the identifiers that join them (`user:7`).
"""

from dataclasses import dataclass
from typing import IO

from clickhouse_connect.driver.client import Client

from pipeline.privacy.masking import without_address
from pipeline.reports.moves.answer import NobodyFound
from schemas.errors import Unusable

_IDS = ("visitor_id", "visitorId", "anonymous_id", "anonymousId")
_USERS = ("user_id", "userId")
_PAYLOAD = "if(encoding = 'base64', tryBase64Decode(payload), payload)"
_TOLD = ", ".join(f"JSONExtractString({_PAYLOAD}, '{field}')" for field in _IDS)
_TOLD_USERS = ", ".join(
    f"concat('user:', trim(BOTH '\"' FROM JSONExtractRaw({_PAYLOAD}, '{field}')))"
    for field in _USERS
)


def _anywhere(fields: tuple[str, ...], value: str) -> str:
    """Give every value of the `fields` in a payload that may be cut off, at any depth."""
    return rf"""extractAll({_PAYLOAD}, '"(?:{"|".join(fields)})"\\s*:\\s*{value}')"""


_TEXT, _NUMBER = r'"([^"]+)"', "([0-9.]+)"
_NAMED_INSIDE = (
    f"arrayConcat({_anywhere(_IDS, _TEXT)}, arrayMap(user -> concat('user:', user), "
    f"arrayConcat({_anywhere(_USERS, _TEXT)}, {_anywhere(_USERS, _NUMBER)})))"
)
_IS_OURS = "(site, visitor_id) IN {names:Array(Tuple(String, String))}"

HELD = {
    # A user who was seen on a device that is not theirs, such as a tablet in a store.
    "touchpoints": f"{_IS_OURS} OR (user_id != '' AND (site, concat('user:', user_id)) IN "
    "{names:Array(Tuple(String, String))})",
    "sessions": _IS_OURS,
    "transitions": _IS_OURS,
    "abandonments": _IS_OURS,
    "links": f"{_IS_OURS} OR (site, identifier) IN {{names:Array(Tuple(String, String))}}",
    "identities": _IS_OURS,
    "dead_letters": "arrayExists(name -> (site, name) IN {names:Array(Tuple(String, String))}, "
    f"arrayConcat([{_TOLD}, {_TOLD_USERS}], {_NAMED_INSIDE}))",
}
"""The tables with rows of a person, and which rows these are."""

_PERSON = """
WITH identities_now AS (SELECT site, visitor_id, person_id FROM identities FINAL),
seeds AS
(
    SELECT site, visitor_id AS name FROM touchpoints WHERE has({asked:Array(String)}, visitor_id)
    UNION DISTINCT
    SELECT site, concat('user:', user_id) FROM touchpoints
    WHERE user_id != '' AND has({asked:Array(String)}, concat('user:', user_id))
    UNION DISTINCT
    SELECT site, identifier FROM links WHERE has({asked:Array(String)}, identifier)
    UNION DISTINCT
    SELECT site, visitor_id FROM identities_now
    WHERE has({asked:Array(String)}, visitor_id) OR person_id = {person:String}
    UNION DISTINCT
    SELECT site, visitor_id FROM person_sessions
    WHERE has({asked:Array(String)}, visitor_id) OR person_id = {person:String}
    UNION DISTINCT
    SELECT site, visitor_id FROM person_transitions
    WHERE has({asked:Array(String)}, visitor_id) OR person_id = {person:String}
    UNION DISTINCT
    SELECT site, visitor_id FROM person_abandonments
    WHERE has({asked:Array(String)}, visitor_id) OR person_id = {person:String}
),
people_meant AS
(
    SELECT s.site AS site, s.name AS name, i.person_id AS person_id
    FROM seeds AS s
    LEFT JOIN identities_now AS i ON s.site = i.site AND s.name = i.visitor_id
)
SELECT DISTINCT site, if(person_id = '', name, person_id), name FROM people_meant
WHERE {site:String} IN ('', site)
UNION DISTINCT
SELECT site, person_id, visitor_id FROM identities_now
WHERE {site:String} IN ('', site) AND (site, person_id) IN (
    SELECT site, person_id FROM people_meant WHERE person_id != '')
ORDER BY 1, 2, 3
"""


class SeveralPeople(Unusable):
    """The name means more than one person; the text says how to choose."""


@dataclass(frozen=True)
class Named:
    """A person of a site, by all its names."""

    site: str
    names: tuple[str, ...]

    def parameters(self) -> dict[str, list[tuple[str, str]]]:
        """Give the parameters of the conditions of `HELD`."""
        return {"names": [(self.site, name) for name in self.names]}


def find_person(
    client: Client, *, person: str = "", visitor: str = "", identifier: str = "", site: str = ""
) -> Named:
    """Find the person named by its id, a user id or a visitor id; or by exactly one of the others.

    Raises:
        NobodyFound: the tables have nothing under this name.
        SeveralPeople: it means people of several sites, or one by a user id, one by a visitor id.
    """
    person, visitor, identifier = map(without_address, (person, visitor, identifier))
    asked = [person, f"user:{person}"] if person else [visitor or identifier]
    # An empty person_id would be that of every row without one.
    which = {"asked": asked, "person": person or " ", "site": site}
    rows = client.query(_PERSON, parameters=which).result_rows
    people = sorted({(str(where), str(id_)) for where, id_, _ in rows})
    if not people:
        raise NobodyFound(
            f"nothing is known about {asked[0]}: the views people and person_sessions list the "
            "known names"
        )
    if len(people) > 1:
        listed = ", ".join(f"{id_} ({where})" for where, id_ in people[:10])
        raise SeveralPeople(
            f"{asked[0]} means {len(people)} people: {listed}. Choose one with --site, --person "
            "and a person_id, --visitor or --identifier"
        )
    return Named(people[0][0], tuple(sorted({str(name) for _, _, name in rows})))


def count_rows(client: Client, named: Named) -> dict[str, int]:
    """Count the rows of the person in each table of `HELD`."""
    return {table: _count(client, table, named) for table in HELD}


def _count(client: Client, table: str, named: Named) -> int:
    statement = f"SELECT count() FROM {table} FINAL WHERE {HELD[table]}"  # noqa: S608 - our text
    [(count,)] = client.query(statement, parameters=named.parameters()).result_rows
    return int(count)


def export_person(client: Client, named: Named, out: IO[bytes]) -> None:
    """Write the person's rows as lines of JSON, each with the name of its `table` first."""
    for table, condition in HELD.items():
        statement = f"SELECT '{table}' AS table, * FROM {table} FINAL WHERE {condition}"  # noqa: S608
        with client.raw_stream(
            statement, parameters=named.parameters(), fmt="JSONEachRow"
        ) as lines:
            for piece in lines:
                out.write(piece)
