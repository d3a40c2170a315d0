"""The house: which module may import which, and that what calls itself pure is pure.

Everything is read from the code, also imports inside functions. Each check is shown to fail on a
line of bad code.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support.house import (
    FLOOR,
    MOST_LINES,
    MOST_LINES_OF_A_FUNCTION,
    ROOT,
    SOURCES,
    arrows,
    circle,
    imports,
    long_functions,
    longest_files,
    module_of,
    our_imports,
    room_of,
    within,
)

MUST_BE_PURE = (
    "pipeline/journey/*.py",
    "pipeline/values/[!_]*.py",
    "pipeline/collector/limits/allowances.py",
    "pipeline/collector/answers.py",
    "pipeline/collector/arrival.py",
    "pipeline/collector/limits/callers.py",
    "pipeline/collector/circumstances.py",
    "pipeline/collector/collect.py",
    "pipeline/collector/letters.py",
    "pipeline/collector/consent.py",
    "pipeline/collector/cookieless.py",
    "pipeline/collector/decoding.py",
    "pipeline/collector/limits/gate.py",
    "pipeline/collector/intake.py",
    "pipeline/collector/newsletter/links.py",
    "pipeline/collector/newsletter/machines.py",
    "pipeline/collector/newsletter/mail_body.py",
    "pipeline/collector/newsletter/mailing.py",
    "pipeline/privacy/masking.py",
    "pipeline/collector/names.py",
    "pipeline/collector/newsletter/follow.py",
    "pipeline/collector/openapi/document.py",
    "pipeline/collector/openapi/operations.py",
    "pipeline/privacy/pseudonyms.py",
    "pipeline/collector/limits/quotas.py",
    "pipeline/collector/recent.py",
    "pipeline/collector/repeats.py",
    "pipeline/collector/request.py",
    "pipeline/collector/vocabularies/routes.py",
    "pipeline/collector/openapi/sdks.py",
    "pipeline/collector/server_api.py",
    "pipeline/collector/openapi/tracking.py",
    "pipeline/collector/vocabularies/helpers.py",
    "pipeline/collector/vocabularies/vocabulary.py",
    "pipeline/collector/mail_providers/[!_]*.py",
    "pipeline/collector/vocabularies/[!_]*.py",
    "pipeline/live/address.py",
    "pipeline/live/answers.py",
    "pipeline/reports/live/usual.py",
    "pipeline/reports/live/view.py",
    "pipeline/reports/funnel/question.py",
    "pipeline/reports/funnel/sql.py",
    "pipeline/tracker/touched.py",
    "pipeline/tracker/enrich.py",
    "pipeline/tracker/erasure.py",
    "pipeline/tracker/exchange.py",
    "pipeline/tracker/graph.py",
    "pipeline/tracker/identifiers.py",
    "pipeline/tracker/partition.py",
    "pipeline/tracker/progress.py",
    "pipeline/tracker/properties.py",
    "pipeline/tracker/steps.py",
    "pipeline/roles/watch/ages.py",
    "pipeline/roles/watch/alerts.py",
    "pipeline/roles/watch/counts.py",
    "pipeline/roles/watch/delivery/messages.py",
    "pipeline/roles/watch/evidence.py",
    "pipeline/roles/watch/judge.py",
    "pipeline/roles/watch/memory.py",
    "pipeline/roles/watch/rates.py",
    "pipeline/roles/watch/season.py",
    "pipeline/roles/watch/seen.py",
    "pipeline/roles/watch/site.py",
    "pipeline/roles/watch/sql.py",
    "pipeline/roles/watch/surges.py",
    "pipeline/roles/watch/volumes.py",
    "pipeline/roles/webhook/message.py",
    "pipeline/importer/access_log.py",
    "pipeline/personal/erasures.py",
    "pipeline/importer/plan.py",
    "pipeline/importer/mapping.py",
    "pipeline/kafka/records.py",
    "pipeline/importer/rows.py",
    "pipeline/signed/passes.py",
    "pipeline/signed/signature.py",
    "sinks/batch.py",
)
IMPURE = (
    *("aiohttp", "aiokafka", "asyncio", "chdb", "clickhouse_connect", "faust", "granian"),
    *("http", "httpx", "importlib", "io", "logging", "multiprocessing", "os", "pathlib"),
    *("prometheus_client", "random", "secrets", "select", "shutil", "signal", "socket", "sqlite3"),
    *("subprocess", "tempfile", "threading", "time", "urllib.request", "uuid", "uvloop"),
)
# Arithmetic and encodings in packages that otherwise do I/O; random numbers from a seed.
PURE_AFTER_ALL = (
    "aiokafka.partitioner",
    "clickhouse_connect.datatypes",
    "clickhouse_connect.driver.common",
    "io.BytesIO",
    "io.StringIO",
    "random.Random",
)
IMPURE_FUNCTIONS = {"eval", "exec", "input", "open", "print"}
IMPURE_METHODS = {"now", "read_bytes", "read_text", "today", "utcnow", "write_bytes", "write_text"}


PURE = [
    module
    for module, text in SOURCES.items()
    if re.search(r"\bP(URE|ure)\b", ast.get_docstring(ast.parse(text)) or "")
]


def trespasses(module: str, source: str) -> set[str]:
    """Name the rooms on the same floor or above that `module` imports."""
    room = room_of(module)
    others = {room_of(name) for name in our_imports(source)} - {room, "pipeline"}
    return {other for other in others if FLOOR[other] >= FLOOR[room]}


def impurities(source: str) -> set[str]:
    """Name the imports and calls that a pure module must not have."""
    foreign = {name for name in imports(source) if within(name, IMPURE)}
    ours = {name for name in our_imports(source) if not within(name, ["schemas", *PURE])}
    allowed = {name for name in foreign if within(name, PURE_AFTER_ALL)}
    return foreign - allowed | ours | set(impure_calls(source))


def impure_calls(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="Random"), args=[], keywords=[]):
                yield "Random without a seed"
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_FUNCTIONS:
                yield name
            case ast.Call(func=ast.Attribute(attr=name)) if name in IMPURE_METHODS:
                yield name


@pytest.mark.parametrize("module", SOURCES)
def test_a_module_imports_only_what_its_floor_allows(module: str) -> None:
    assert trespasses(module, SOURCES[module]) == set()


@pytest.mark.parametrize(
    ("module", "line", "found"),
    [
        ("schemas.codec", "from sinks.batch import Row", {"sinks"}),
        ("schemas.codec", "def f():\n    import pipeline.settings", {"settings"}),
        ("sinks.writer", "from pipeline import signature", set()),
        ("sinks.writer", "from pipeline import metrics", {"metrics"}),
        ("pipeline.journey.fold", "from pipeline.kafka.records import Record", {"kafka"}),
        ("pipeline.collector.server", "from pipeline import importer", {"importer"}),
        ("pipeline.collector.server", "import pipeline.tracker.app", {"tracker"}),
        ("pipeline.local.stack", "from pipeline.demo import run", {"demo"}),
        ("pipeline.settings", "from pipeline.reports.span import Span", {"reports"}),
        ("pipeline.tracker.app", "from pipeline.cli import main", {"cli"}),
        ("pipeline.tracker.app", "from pipeline.journey import fold", set()),
        ("pipeline.journey.fold", "from pipeline.journey import phases", set()),
    ],
)
def test_an_import_of_a_higher_floor_is_found(module: str, line: str, found: set[str]) -> None:
    assert found == trespasses(module, line)


def test_imports_are_absolute_so_that_they_are_seen() -> None:
    assert list(imports("from .state import Basket")) == [".state.Basket"]
    relative = {m: n for m, text in SOURCES.items() for n in imports(text) if n.startswith(".")}
    assert relative == {}


def test_no_import_leads_back_to_where_it_came_from() -> None:
    assert circle({module: our_imports(text) - {module} for module, text in SOURCES.items()}) == []


def test_a_circle_of_imports_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) in [["b", "c", "b"], ["c", "b", "c"]]


def test_every_room_stands_on_a_floor() -> None:
    assert {room for room in arrows(SOURCES) if room not in FLOOR} == set()


def test_no_file_is_longer_than_a_reader_likes() -> None:
    assert [found for found in longest_files(SOURCES) if found[0] > MOST_LINES] == []


def test_no_function_is_longer_than_a_reader_likes() -> None:
    assert long_functions(SOURCES, MOST_LINES_OF_A_FUNCTION) == []


@pytest.mark.parametrize("pattern", MUST_BE_PURE)
def test_what_must_be_pure_says_so(pattern: str) -> None:
    modules = {module_of(path) for path in ROOT.glob(pattern)}
    assert modules
    assert modules - set(PURE) == set()


@pytest.mark.parametrize("module", PURE)
def test_what_says_it_is_pure_does_no_io_and_asks_no_clock_and_no_chance(module: str) -> None:
    assert impurities(SOURCES[module]) == set()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import asyncio", {"asyncio"}),
        ("import os.path", {"os.path"}),
        ("from time import monotonic", {"time.monotonic"}),
        ("from aiokafka import AIOKafkaProducer", {"aiokafka.AIOKafkaProducer"}),
        ("def f():\n    import urllib.request", {"urllib.request"}),
        ("from random import random", {"random.random"}),
        ("from pipeline.kafka.producer import Producer", {"pipeline.kafka.producer"}),
        ("at = datetime.now(UTC)", {"now"}),
        ("at = date.today()", {"today"}),
        ("text = open('rows.csv')", {"open"}),
        ("text = path.read_text()", {"read_text"}),
        ("rng = Random()", {"Random without a seed"}),
        ("from random import Random\nrng = Random(7)", set()),
        ("from aiokafka.partitioner import murmur2", set()),
        ("from pipeline.kafka.records import Row", set()),
        ("from urllib.parse import urlsplit", set()),
        ("from datetime import time", set()),
    ],
)
def test_what_is_not_pure_is_found(line: str, found: set[str]) -> None:
    assert found == impurities(line)
