"""What exists to ask about: sites, touchpoints, segments. Asks ClickHouse.

A question about anything else is refused, because its answer would be zeros.
"""

from collections.abc import Collection
from difflib import get_close_matches

from clickhouse_connect.driver.client import Client

from schemas.errors import Unusable

_MOST_NAMED = 12

_SITES = """
SELECT DISTINCT toString(site) FROM inventory_states
UNION DISTINCT SELECT DISTINCT toString(site) FROM dead_letters
UNION DISTINCT (SELECT toString(site) FROM touchpoints WHERE site = {site:String} LIMIT 1)"""
_NAMES = """
SELECT DISTINCT toString(name) FROM inventory_states
WHERE {site:String} = '' OR site = {site:String}"""
_SEGMENTS = """
SELECT DISTINCT segment FROM (
    SELECT argMaxMerge(s.segment) AS segment FROM segment_states AS s
    WHERE {site:String} = '' OR s.site = {site:String} GROUP BY s.site, s.visitor_id
)"""

_MODELS = "SELECT DISTINCT toString(model) FROM journey_models FINAL"


class Unknown(Unusable):
    """Nothing has this name; the text lists the names that exist."""


def refuse_unknown(what: str, asked: str, known: Collection[str]) -> None:
    """Raise Unknown if `asked` is not one of `known`; an empty one stands for all, and is fine."""
    if not asked or asked in known:
        return
    by_small_letters = {name.casefold(): name for name in known}
    near = get_close_matches(asked.casefold(), by_small_letters, n=3)
    names = [by_small_letters[name] for name in near] or sorted(known)
    more = f", and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    told = ", ".join(names[:_MOST_NAMED]) or "none yet"
    hint = f"did you mean {' or '.join(names)}?" if near else f"there are: {told}{more}"
    raise Unknown(f"there is no {what} {asked!r}; {hint}")


def sites(client: Client, asked: str) -> set[str]:
    """Name the sites with data; a site with data of bots only is named only if it is `asked`."""
    rows = client.query(_SITES, parameters={"site": asked}).result_rows
    return {site for (site,) in rows if site}


def touchpoint_names(client: Client, site: str) -> set[str]:
    """Name the touchpoints of `site`; empty: of all sites."""
    return {name for (name,) in client.query(_NAMES, parameters={"site": site}).result_rows}


def segments(client: Client, site: str) -> set[str]:
    """Name the segments of people of `site`; empty: of all sites."""
    rows = client.query(_SEGMENTS, parameters={"site": site}).result_rows
    return {segment for (segment,) in rows if segment}


def models(client: Client) -> set[str]:
    """Name the journey models in the tables."""
    return {model for (model,) in client.query(_MODELS).result_rows}


def kpis(client: Client) -> set[str]:
    """Name the KPIs that are defined."""
    return {kpi for (kpi,) in client.query("SELECT kpi FROM kpi_definitions").result_rows}
