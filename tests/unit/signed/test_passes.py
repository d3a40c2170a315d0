"""Who may look at which sites, and until when."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from pipeline.signed.passes import Pass, admitted, issue
from pipeline.signed.signature import seal

KEY, OTHER = "k" * 32, "o" * 32
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOON = int((NOW + timedelta(minutes=1)).timestamp())
TOKEN = issue(Pass(("shop",), SOON), [KEY])


def test_a_pass_opens_its_sites_until_it_ends() -> None:
    assert admitted(TOKEN, [KEY], NOW) == Pass(("shop",), SOON)
    assert admitted(TOKEN, [KEY], NOW + timedelta(seconds=59)) is not None
    assert admitted(TOKEN, [KEY], NOW + timedelta(seconds=60)) is None


def test_it_covers_the_sites_that_it_names_and_without_any_all() -> None:
    assert (True, False) == (Pass(("shop",), 1).covers("shop"), Pass(("shop",), 1).covers("shop2"))
    assert Pass((), 1).covers("anything")


def test_a_new_key_signs_and_an_old_one_still_opens() -> None:
    assert admitted(TOKEN, [OTHER, KEY], NOW) is not None
    assert admitted(TOKEN, [OTHER], NOW) is None


CONTENT, MAC = TOKEN.split(".")


@pytest.mark.parametrize(
    "token",
    [
        *(
            "",
            ".",
            "a.b",
            "é.ü",
            TOKEN[:-1],
            TOKEN + "A",
            f"{CONTENT}.",
            f".{MAC}",
            MAC,
            "x" * 9999,
        ),
        issue(Pass(("shop", "outlet"), SOON), [OTHER]),
        seal(msgspec.json.encode((("shop",), SOON)), KEY, b"touchstream link v1\0"),
        f"{seal(b'[[],9999999999]', KEY, b'').split('.')[0]}.{MAC}",
    ],
)
def test_what_no_key_of_ours_has_signed_for_this_opens_nothing(token: str) -> None:
    assert admitted(token, [KEY], NOW) is None


def test_a_site_that_is_none_gets_no_pass() -> None:
    with pytest.raises(msgspec.ValidationError):
        issue(Pass(("Shop One",), SOON), [KEY])
