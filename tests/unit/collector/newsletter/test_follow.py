"""Links of a newsletter: what they answer, and what touchpoint they are."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from pipeline.collector.answers import Problem, TurnedAway
from pipeline.collector.arrival import Arrival
from pipeline.collector.newsletter.follow import Followed, Newsletter
from pipeline.collector.newsletter.links import PATH
from pipeline.collector.newsletter.mailing import Mailing
from pipeline.privacy.pseudonyms import Pseudonyms
from schemas.codec import decode_touchpoint, encode
from schemas.touchpoint import Touchpoint

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
PRODUCT = "https://shop.example/products/chair?utm_source=newsletter"

pseudonyms = Pseudonyms("s" * 32)
ADA = pseudonyms.subscriber("shop", "s-1")
newsletter = Newsletter(["k" * 32], pseudonyms, {"shop": ["shop.example"]})
mailing = Mailing(
    "https://t.example", ["k" * 32], "shop", "spring", "s-1", NOON + timedelta(days=1)
)


def followed(
    link: str, method: str = "GET", body: bytes = b"", at: datetime = NOON, **headers: str
) -> Followed:
    said = {"user_agent": FIREFOX} | headers
    named = {name.replace("_", "-"): value for name, value in said.items()}
    token = link.removeprefix("https://t.example").removeprefix(PATH)
    arrival = Arrival("", at, ip="192.0.2.0")
    return newsletter.follow(method, token, named, arrival, body)


def touchpoint(of: Followed) -> Touchpoint:
    """Give the touchpoint as the tracker will read it."""
    assert of.touchpoint is not None
    return decode_touchpoint(encode(of.touchpoint))


def properties(of: Followed) -> Any:
    return msgspec.json.decode(touchpoint(of).properties)


def location(of: Followed) -> str:
    assert of.answer.status == 302
    return dict(of.answer.headers)["location"]


def unsubscribe_link() -> str:
    return mailing.headers()[0][1].strip("<>")


# --- opening -------------------------------------------------------------------------------------


def test_the_pixel_is_an_image_that_nobody_keeps() -> None:
    answer = followed(mailing.pixel()).answer
    assert (answer.status, dict(answer.headers)) == (
        200,
        {"content-type": "image/gif", "cache-control": "no-store"},
    )
    assert answer.body.startswith(b"GIF89a")


def test_an_open_names_site_campaign_and_subscriber() -> None:
    opened = followed(mailing.pixel())
    told = touchpoint(opened)
    assert ("Email Opened", "newsletter", "shop", ADA, NOON) == (
        told.name,
        told.channel,
        told.site,
        told.anonymous_id,
        told.occurred_at,
    )
    assert {"campaign_id": "spring", "subscriber_id": ADA, "recipient_id": "s-1"} == properties(
        opened
    )
    assert (told.user_agent, told.ip) == (FIREFOX, "192.0.2.0")


def test_an_open_by_a_machine_says_so() -> None:
    assert properties(followed(mailing.pixel(), user_agent="Mozilla/5.0"))["is_machine_open"]


def test_a_proxys_browser_is_not_taken_for_the_readers() -> None:
    opened = followed(mailing.pixel(), user_agent=GMAIL)
    assert touchpoint(opened).user_agent == ""
    assert properties(opened)["mail_proxy"] == "GoogleImageProxy"


def test_opening_twice_is_two_touchpoints() -> None:
    first, again = (followed(mailing.pixel(), at=NOON + timedelta(seconds=s)) for s in (0, 1))
    assert touchpoint(first).touchpoint_id != touchpoint(again).touchpoint_id


# --- clicking ------------------------------------------------------------------------------------


def test_a_click_leads_to_the_page_and_tells_it_who_came() -> None:
    clicked = followed(mailing.click(PRODUCT))
    assert f"{PRODUCT}&ts_link={ADA}" == location(clicked)
    assert ADA == properties(clicked)["subscriber_id"]
    assert clicked.must_answer


def test_a_click_is_a_touchpoint_with_the_page_as_its_url() -> None:
    clicked = followed(mailing.click(PRODUCT))
    assert ("Email Link Clicked", PRODUCT, ADA) == (
        touchpoint(clicked).name,
        touchpoint(clicked).url,
        touchpoint(clicked).anonymous_id,
    )
    assert properties(clicked)["link_url"] == PRODUCT


def test_another_companys_page_does_not_learn_who_came() -> None:
    assert "https://other.example/a" == location(followed(mailing.click("https://other.example/a")))


def test_a_scanner_gets_the_page_but_joins_nobody() -> None:
    clicked = followed(mailing.click(PRODUCT), user_agent="curl/8")
    assert PRODUCT == location(clicked)
    assert properties(clicked)["is_machine_click"]


@pytest.mark.parametrize("link", [mailing.pixel(), mailing.click(PRODUCT)])
def test_head_is_answered_and_is_no_touchpoint(link: str) -> None:
    assert followed(link, "HEAD").touchpoint is None


# --- unsubscribing -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_get_asks_and_never_unsubscribes(method: str) -> None:
    asked = followed(unsubscribe_link(), method)
    assert (asked.answer.status, asked.touchpoint) == (200, None)
    assert b'method="post"' in asked.answer.body


MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
)


@pytest.mark.parametrize(
    "body", [b"List-Unsubscribe=One-Click", b"a=b&List-Unsubscribe=One-Click&c=d", MULTIPART]
)
def test_the_post_of_rfc_8058_unsubscribes(body: bytes) -> None:
    done = followed(unsubscribe_link(), "POST", body)
    assert (done.answer.status, touchpoint(done).name) == (200, "Unsubscribed")
    assert not done.must_answer


def test_a_form_that_begins_ten_thousand_times_costs_no_more_than_another() -> None:
    began = time.process_time()
    answer = followed(unsubscribe_link(), "POST", b'List-Unsubscribe"\r\na\r\n' * 10_000).answer
    assert answer.status == 404
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "body", [b"x", b"List-Unsubscribe=No", b"xList-Unsubscribe=One-Click", b"=One-Click"]
)
def test_another_post_does_not_unsubscribe(body: bytes) -> None:
    refused = followed(unsubscribe_link(), "POST", body)
    assert (refused.answer.status, refused.touchpoint) == (404, None)


def test_unsubscribing_twice_counts_once() -> None:
    first, again = (
        followed(
            unsubscribe_link(), "POST", b"List-Unsubscribe=One-Click", NOON + timedelta(hours=h)
        )
        for h in (0, 1)
    )
    assert touchpoint(first).touchpoint_id == touchpoint(again).touchpoint_id


def test_the_headers_are_those_of_rfc_8058() -> None:
    names = [name for name, _ in mailing.headers()]
    assert names == ["List-Unsubscribe", "List-Unsubscribe-Post"]
    assert mailing.headers()[1][1] == "List-Unsubscribe=One-Click"


# --- no link -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "method", "at"),
    [
        ("/n/", "GET", NOON),
        ("/n/forged.token", "GET", NOON),
        (mailing.click(PRODUCT) + "x", "GET", NOON),
        (mailing.click(PRODUCT), "POST", NOON),
        (mailing.pixel(), "POST", NOON),
        (mailing.click(PRODUCT), "GET", NOON + timedelta(days=1)),
    ],
    ids=["empty", "forged", "changed", "post-click", "post-open", "expired"],
)
def test_what_is_no_valid_link_is_not_found(link: str, method: str, at: datetime) -> None:
    with pytest.raises(TurnedAway) as refused:
        followed(link, method, at=at)
    assert refused.value.code is Problem.NOT_FOUND


def test_the_same_subscriber_of_another_site_is_another_visitor() -> None:
    assert ADA != pseudonyms.subscriber("blog", "s-1")
    assert ADA != Pseudonyms("t" * 32).subscriber("shop", "s-1")
