"""Lines of an access log: what is read, what is not, and that no address is kept."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import main
from pipeline.importer.access_log import MAPPING, row_of
from pipeline.importer.plan import Plan
from pipeline.importer.rows import ImportFailed, Unreadable

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"


def line(
    request: str = "GET / HTTP/1.1",
    status: int = 200,
    size: str = "512",
    referrer: str = "-",
    agent: str = FIREFOX,
    user: str = "-",
) -> str:
    start = f"192.0.2.7 - {user} [17/May/2015:10:05:03 +0200]"
    return f'{start} "{request}" {status} {size} "{referrer}" "{agent}"'


def row(**changed: Any) -> Any:
    return row_of(line(**changed), lambda ip: f"<{ip}>", "https://shop.example")


def test_a_line_of_the_combined_format_is_read() -> None:
    assert {
        "visitor": "<192.0.2.7>",
        "time": "17/May/2015:10:05:03 +0200",
        "kind": "page",
        "url": "https://shop.example/a?b=1",
        "method": "GET",
        "status": 200,
        "bytes": 512,
        "referrer": "https://search.example/",
        "user_agent": FIREFOX,
    } == row(request="GET /a?b=1 HTTP/2.0", referrer="https://search.example/")


@pytest.mark.parametrize(
    ("request_line", "status", "kind"),
    [
        ("GET / HTTP/1.1", 200, "page"),
        ("GET /a/b.html?x=.png HTTP/1.1", 304, "page"),
        ("GET /a.png HTTP/1.1", 200, "resource"),
        ("GET /feed.XML HTTP/1.1", 200, "resource"),
        ("POST /login HTTP/1.1", 302, "resource"),
        ("HEAD / HTTP/1.1", 200, "resource"),
        ("GET / HTTP/1.1", 399, "page"),
        ("GET /old HTTP/1.1", 301, "resource"),
        ("GET /old HTTP/1.1", 302, "resource"),
        ("GET /old HTTP/1.1", 308, "resource"),
        ("GET / HTTP/1.1", 400, "failure"),
        ("GET /a.png HTTP/1.1", 500, "failure"),
        ("-", 408, "failure"),
        (r"\x16\x03\x01", 200, "failure"),
    ],
)
def test_a_request_is_a_page_a_resource_or_a_failure(
    request_line: str, status: int, kind: str
) -> None:
    assert kind == row(request=request_line, status=status)["kind"]


def test_nothing_sent_is_nought_bytes_and_no_referrer_is_empty() -> None:
    assert (0, "") == (row(size="-")["bytes"], row()["referrer"])


def test_quotes_that_the_server_has_escaped_are_quotes_again() -> None:
    assert 'a "b" \\c' == row(agent=r"a \"b\" \\c")["user_agent"]


def test_who_has_logged_in_is_left_out() -> None:
    assert "ada" not in str(row(user="ada"))


@pytest.mark.parametrize(
    "broken", [line()[:-1], line().replace("[", ""), "192.0.2.7", "192.0.2.7 - x"]
)
def test_another_line_is_unreadable_and_does_not_keep_its_address(broken: str) -> None:
    found = row_of(broken, lambda _ip: "ip_1")
    assert isinstance(found, Unreadable)
    assert b"192.0.2.7" not in found.raw


@pytest.mark.parametrize(
    "broken", [line(size="1" * 5_000), "192.0.2.7 - - " + "[" * 50_000], ids=["size", "brackets"]
)
def test_a_line_that_is_made_to_do_harm_is_as_unreadable_as_another(broken: str) -> None:
    began = time.process_time()
    assert isinstance(row_of(broken, str), Unreadable)
    assert time.process_time() - began < 1


@given(st.text())
def test_no_line_breaks_it(text: str) -> None:
    assert isinstance(row_of(text, str), Unreadable | dict)


# --- the command ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give --mapping or --format"),
        (["--mapping", "m.toml", "--format", "access-log"], "give --mapping or --format"),
        (["--format", "access-log"], "TOUCHSTREAM_SITE_SALT"),
    ],
)
def test_the_import_says_what_it_lacks(tmp_path: Path, arguments: list[str], said: str) -> None:
    log = tmp_path / "access.log"
    log.write_text(line())
    result = CliRunner().invoke(main, ["import", str(log), *arguments])
    assert result.exit_code != 0
    assert said in result.output


_COMMON = '192.0.2.7 - - [10/Oct/2025:13:55:36 +0000] "GET /a HTTP/1.1" 200 23'
_COMBINED = f'{_COMMON} "https://x.example/" "Mozilla/5.0"'


@pytest.mark.parametrize(
    ("line", "url", "agent"),
    [
        (_COMMON, "/a", ""),
        (_COMBINED, "/a", "Mozilla/5.0"),
        (f'{_COMBINED} "203.0.113.9" 0.003', "/a", "Mozilla/5.0"),
        (f"{_COMMON} 0.003", "/a", ""),
        (f'{_COMMON} 0.003 "https://x.example/" "Mozilla/5.0"', "/a", "Mozilla/5.0"),
        (f"192.0.2.7, 10.0.0.{_COMBINED[8:]}", "/a", "Mozilla/5.0"),
        (f"shop.example:443 {_COMBINED}", "https://shop.example/a", "Mozilla/5.0"),
        (f"shop.example {_COMBINED}", "https://shop.example/a", "Mozilla/5.0"),
        (f"shop.example:80 {_COMMON}", "https://shop.example/a", ""),
    ],
)
def test_the_common_forms_are_read_and_the_visitor_is_the_address(
    line: str, url: str, agent: str
) -> None:
    row = row_of(line, lambda host: f"<{host}>")
    assert isinstance(row, dict)
    assert (row["visitor"], row["url"], row["user_agent"]) == ("<192.0.2.7>", url, agent)


def test_a_broken_line_behind_a_host_does_not_keep_its_address() -> None:
    row = row_of("shop.example:443 192.0.2.7 - - broken", lambda host: f"<{len(host)}>")
    assert isinstance(row, Unreadable)
    assert b"192.0.2.7" not in row.raw


@pytest.mark.parametrize(
    "said",
    [
        "10/Oct/2025:13:55:36 +0000",
        "10/Oct/2025:15:55:36 +0200",
        "10/Oct/2025:13:55:36.000 +0000",
        "10/Oct/2025:13:55:36",
        "1760104536.000",
        "2025-10-10T15:55:36+02:00",
    ],
)
def test_the_time_is_read_as_servers_write_it(said: str) -> None:
    plan = Plan(MAPPING, "shop", datetime(2026, 1, 1, tzinfo=UTC))
    plan.open("access.log")
    plan.add(row_of(_COMBINED.replace("10/Oct/2025:13:55:36 +0000", said), str))
    (sent,) = plan.in_order()
    assert sent.occurred_at == datetime(2025, 10, 10, 13, 55, 36, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("#Software: Microsoft Internet Information Services 10.0", "W3C format, as IIS"),
        ("#Fields: date time s-ip cs-method", "W3C format, as IIS"),
        ('{"request": {"uri": "/"}}', 'kind = "jsonl"'),
        ("[Fri Nov 20 10:00:00.1 2026] [core:error] [pid 1]", "neither the common nor"),
    ],
)
def test_a_log_of_another_kind_says_what_it_is_and_nothing_of_a_mapping_that_fits(
    line: str, said: str
) -> None:
    plan = Plan(MAPPING.with_placeholders(["x"]), "shop", datetime(2026, 1, 1, tzinfo=UTC))
    plan.open("access.log")
    plan.add(row_of(line, lambda _ip: "ip_1"))
    with pytest.raises(ImportFailed) as failed:
        plan.in_order()
    assert said in str(failed.value)
    assert "Are the files access logs?" in str(failed.value)
