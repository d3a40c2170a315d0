"""A newsletter from the mail's HTML to Kafka, with the commands of the docs."""

import json
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from pipeline.privacy.pseudonyms import Pseudonyms
from schemas.topics import RAW
from tests.integration.test_collector_http import make_topics, records_of
from tests.support.collector import CollectorProcess, collector
from tests.support.docs import blocks, shell
from tests.support.kafka import KafkaCluster
from tests.support.ports import free_ports

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
SALT = "s" * 32
SECRETS = {"site_salt": SALT, "link_keys": json.dumps(["k" * 32])}
ADA = Pseudonyms(SALT).subscriber("shop", "s-1")
CHAIR = "https://shop.example/products/chair?utm_source=newsletter&utm_campaign=spring"

REWRITE, SIGN = blocks("newsletter", "sh")
_GIVEN = re.compile(
    r"^export TOUCHSTREAM_(?:SITE_SALT|LINK_KEYS|PUBLIC_URL)=.*\n", flags=re.MULTILINE
)


def environment(**settings: str) -> dict[str, str]:
    return {f"TOUCHSTREAM_{name.upper()}": value for name, value in settings.items()}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(kafka: KafkaCluster) -> AsyncIterator[CollectorProcess]:
    await make_topics(kafka.bootstrap_servers)
    hosts = json.dumps({"shop": ["shop.example"]})
    async with collector(kafka.bootstrap_servers, site_hosts=hosts, **SECRETS) as process:
        await process.until_ready()
        yield process


@pytest.fixture(scope="module")
def links(running: CollectorProcess, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The click, open and unsubscribe links of the mail that the docs sign."""
    folder = tmp_path_factory.mktemp("mail")
    done = shell(_GIVEN.sub("", REWRITE), folder, **environment(public_url=running.url, **SECRETS))
    mail = (folder / "signed.html").read_text()
    [click] = re.findall(r'href="([^"]+)"', mail)
    [pixel] = re.findall(r'src="([^"]+)"', mail)
    [unsubscribe] = re.findall(r"^List-Unsubscribe: <(.+)>$", done.stderr, re.MULTILINE)
    return {"click": unescape(click), "open": unescape(pixel), "unsubscribe": unsubscribe}


async def ask(method: str, url: str, origin: str = "", **more: Any) -> tuple[int, str]:
    """Give status, and where a redirect leads."""
    headers = {"user-agent": FIREFOX} | ({"origin": origin} if origin else {})
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers, allow_redirects=False, **more) as answer,
    ):
        return answer.status, answer.headers.get("location", "")


async def names(kafka: KafkaCluster) -> list[str]:
    rows = await records_of("shop", kafka.bootstrap_servers, RAW.name)
    return sorted(row["name"] for row in rows if row["anonymous_id"] == ADA)


def test_the_docs_sign_a_mail_with_keys_of_their_own(tmp_path: Path) -> None:
    done = shell(REWRITE, tmp_path)
    mail = (tmp_path / "signed.html").read_text()
    assert mail.count("https://t.shop.example/n/") == 2
    assert "shop.example/products" not in mail
    assert done.stderr.count("List-Unsubscribe") == 3


def test_the_docs_sign_a_link(tmp_path: Path) -> None:
    done = shell(SIGN, tmp_path, **environment(**SECRETS))
    assert done.stdout.startswith("http://127.0.0.1:8080/n/")


async def test_opening_clicking_and_unsubscribing_are_in_kafka_when_they_are_answered(
    links: dict[str, str], kafka: KafkaCluster
) -> None:
    assert (200, "") == await ask("GET", links["open"])
    assert (302, f"{CHAIR}&ts_link={ADA}") == await ask("GET", links["click"])
    assert (200, "") == await ask("GET", links["unsubscribe"])
    assert ["Email Link Clicked", "Email Opened"] == await names(kafka)
    one_click = {"List-Unsubscribe": "One-Click"}
    assert (200, "") == await ask("POST", links["unsubscribe"], data=one_click)
    assert ["Email Link Clicked", "Email Opened", "Unsubscribed"] == await names(kafka)


async def test_a_link_that_was_changed_is_not_found(links: dict[str, str]) -> None:
    assert 404 == (await ask("GET", links["click"][:-6] + "AAAAAA"))[0]


async def test_the_page_behind_a_link_unsubscribes_wherever_origins_are_listed(
    links: dict[str, str], kafka: KafkaCluster
) -> None:
    """A browser says `null` for that page: it asks to send no referrer."""
    origins = json.dumps(["https://shop.example"])
    async with collector(kafka.bootstrap_servers, collector_origins=origins, **SECRETS) as strict:
        await strict.until_ready()
        link = strict.url + links["unsubscribe"][links["unsubscribe"].index("/n/") :]
        one_click = {"List-Unsubscribe": "One-Click"}
        assert (200, "") == await ask("POST", link, origin="null", data=one_click)


async def test_without_kafka_a_click_leads_on_and_nothing_else_pretends(
    links: dict[str, str],
) -> None:
    [nobody] = free_ports(1)
    async with collector(f"127.0.0.1:{nobody}", **SECRETS) as alone:
        moved = {name: alone.url + link[link.index("/n/") :] for name, link in links.items()}
        assert (302, CHAIR) == await ask("GET", moved["click"])
        assert 503 == (await ask("GET", moved["open"]))[0]
        body = {"List-Unsubscribe": "One-Click"}
        assert 503 == (await ask("POST", moved["unsubscribe"], data=body))[0]
        async with aiohttp.ClientSession() as session, session.get(f"{alone.url}/metrics") as told:
            assert 'clicks_lost_total{site="shop"} 1.0' in await told.text()
