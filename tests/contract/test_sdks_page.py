"""`docs/sdks.md` promises paths and names: the vocabularies keep them."""

import re
from pathlib import Path

from pipeline.collector.vocabularies import (
    amplitude,
    ga4,
    jitsu_first,
    matomo,
    mixpanel,
    openpanel,
    plausible,
    posthog,
    snowplow,
    umami,
)
from pipeline.collector.vocabularies.routes import ROUTES

PAGE = (Path(__file__).parents[2] / "docs" / "sdks.md").read_text()
NAMES = {
    "Snowplow": snowplow.NAMES,
    "PostHog": posthog.NAMES,
    "Plausible": plausible.NAMES,
    "Umami": umami.TYPES,
    "GA4": ga4.NAMES,
    "Jitsu": jitsu_first.TYPES,
    "Mixpanel": mixpanel.NAMES,
    "Amplitude": amplitude.NAMES,
    "OpenPanel": openpanel.TYPES,
    "Matomo": {parameter: name for parameter, name, _ in matomo.SIGNS},
}


def tables() -> dict[str, dict[str, str]]:
    """Read the tables with a native name in the first column."""
    found = re.findall(
        r"^\| (\w+) \| (?:name|type) \|\n\|---\|---\|\n((?:\|.+\n)+)", PAGE, re.MULTILINE
    )
    return {title: dict(re.findall(r"\| `(.+?)` \| (.+?) \|", rows)) for title, rows in found}


def test_the_page_has_every_name_that_is_translated() -> None:
    assert tables() == NAMES


def test_the_page_names_every_path() -> None:
    paths = {path.rstrip("/") for _, path in ROUTES}
    told = {path.rstrip("/") for path in re.findall(r"`(/[\w./]*)`", PAGE)}
    by_kind = r"/v1/.|/sdk/\w+|/api/s/(s2s/)?\w+"
    named_by_their_kind = {path for path in paths if re.fullmatch(by_kind, path)}
    assert paths - named_by_their_kind <= told
