"""Everything that decodes bytes from outside, by name: how it is called, and examples for it.

`tests/fuzz/found/<target>` holds inputs that once did harm; they stay examples for ever.
"""

import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.collector.mail_providers.receive import PROVIDERS
from pipeline.collector.vocabularies import (
    amplitude,
    ga4,
    gtag,
    jitsu,
    jitsu_first,
    matomo,
    mixpanel,
    pixels,
    plausible,
    posthog,
    posthog_results,
    rudderstack,
    segment,
    shared_paths,
    snowplow,
    umami,
)
from tests.fuzz import endpoints, readers

FOUND = Path(__file__).with_name("found")

_SPOKEN = (
    *(amplitude, ga4, gtag, jitsu, jitsu_first, matomo, mixpanel, plausible, posthog, rudderstack),
    *(pixels, posthog_results, segment, snowplow, umami),
)
_EXAMPLES = {"jitsu_first": "jitsu", "posthog_results": "posthog"}
_BODIES = (b"gzip\n{}", b"\n" + gzip.compress(b'{"a":1}', mtime=0), b"br\n", b"identity\n[7]")


@dataclass(frozen=True)
class Target:
    """`run` takes any bytes and returns; what it raises is a finding."""

    run: Callable[[bytes], None]
    examples: Callable[[], Iterable[bytes]]


def _vocabularies() -> Iterator[tuple[str, Target]]:
    for module in _SPOKEN:
        name = module.__name__.rpartition(".")[2]
        run = partial(endpoints.speak, module.ROUTES)
        yield name, Target(run, partial(endpoints.examples_of, _EXAMPLES.get(name, name)))


def _webhooks() -> Iterator[tuple[str, Target]]:
    for name in PROVIDERS:
        yield name, Target(partial(endpoints.report, name), partial(endpoints.reports, name))


TARGETS: dict[str, Target] = {
    **dict(_vocabularies()),
    **dict(_webhooks()),
    "shared": Target(
        partial(endpoints.speak, shared_paths.ROUTES),
        partial(endpoints.examples_of, "openpanel", "mixpanel", "posthog"),
    ),
    "body": Target(endpoints.unpack, lambda: _BODIES),
    "headers": Target(endpoints.present_headers, endpoints.many_headers),
    "questions": Target(
        endpoints.ask, partial(endpoints.examples_of, "posthog", "snowplow", "segment")
    ),
    "links": Target(endpoints.follow, endpoints.tokens),
    "signed_links": Target(endpoints.follow_signed, endpoints.links),
    "servers": Target(endpoints.serve, endpoints.server_calls),
    "touchpoints": Target(readers.track, readers.touchpoints),
    "exchange": Target(readers.exchange, readers.exchanged),
    "enrichment": Target(readers.look_up, readers.looked_up),
    "values": Target(readers.read_values, readers.values_said),
    "dead_letters": Target(readers.read_letter, readers.letters),
    "access_log": Target(readers.read_log, readers.logged),
    "csv": Target(
        partial(readers.import_file, "a.csv", readers.mapping_of("puffy")), readers.sheets
    ),
    "json_lines": Target(partial(readers.import_file, "a.jsonl", readers.OWN), readers.lines),
    "mapping": Target(readers.read_mapping, readers.mappings),
}


def found(name: str) -> list[Path]:
    """List the inputs that once did harm to the target `name`."""
    return sorted((FOUND / name).glob("*"))
