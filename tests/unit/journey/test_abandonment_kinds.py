"""Browse, form, newsletter and journey: left behind, recovered, taken back; several at once."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.journey.abandonment import deadline
from pipeline.journey.memory import next_deadline
from pipeline.journey.rules import compile_rules
from pipeline.journey.state import Cursor, Evidence, Stake, encode_state, identifier
from schemas.facts import Abandonment, AbandonmentKind, Fact, Product
from tests.support.journeys import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    RULES,
    SECOND,
    SITE,
    VISITOR,
    Life,
    fold,
    only,
    seen,
    surviving,
)

TIMEOUT = 30 * MINUTE
RECOVERY = 7 * DAY
AWARENESS, CONSIDERATION = 7 * DAY, 14 * DAY
UNOPENED = 3 * DAY


def instant(after: int) -> datetime:
    return datetime.fromtimestamp((NOON + after) / SECOND, UTC)


def looked(id_: str, after: int = 0, **more: Any) -> Evidence:
    return seen(id_, after, "Product Viewed", **more)


def added(id_: str, after: int = 0, **more: Any) -> Evidence:
    return seen(id_, after, "Product Added", **more)


def order(id_: str, after: int, **more: Any) -> Evidence:
    return seen(id_, after, "Order Completed", **more)


def started(id_: str, after: int = 0, form: str = "contact", field: str = "") -> Evidence:
    step = f"{form}.{field}" if field else form
    return seen(id_, after, "Form Started", form=form, step=step)


def submitted(id_: str, after: int, form: str = "contact", **more: Any) -> Evidence:
    return seen(id_, after, "Form Submitted", form=form, step=form, **more)


def mail(id_: str, after: int = 0, channel: str = "newsletter") -> Evidence:
    return seen(id_, after, "Email Delivered", channel=channel)


def of_kind(kind: AbandonmentKind, rows: Iterable[Fact]) -> list[Abandonment]:
    return [found for found in only(Abandonment, rows) if found.kind == kind]


def left(kind: AbandonmentKind, *evidence: Evidence, now: int = 60 * DAY) -> list[Abandonment]:
    return of_kind(kind, fold(*evidence, now=now))


def table(kind: AbandonmentKind, life: Life) -> list[Abandonment]:
    return of_kind(kind, life.rows.values())


# --- browse -------------------------------------------------------------------------------------


def test_products_that_were_only_looked_at_are_a_browse_after_the_timeout() -> None:
    assert left("browse", looked("a"), now=TIMEOUT) == []
    (found,) = left("browse", looked("a"), now=TIMEOUT + 1)
    assert (found.step, found.abandoned_at) == ("Product Viewed", instant(TIMEOUT))
    assert found.abandonment_id == identifier(SITE, "visitor", VISITOR, "browse", "", "a")


def test_any_touchpoint_extends_a_browse() -> None:
    (found,) = left("browse", looked("a"), seen("b", TIMEOUT))
    assert (found.last_touchpoint_id, found.abandoned_at) == ("b", instant(2 * TIMEOUT))


def test_a_visit_that_went_on_to_a_cart_is_no_browse() -> None:
    assert left("browse", looked("a"), added("b", 1)) == []
    assert left("browse", looked("a"), seen("b", 1, "Checkout Started")) == []


def test_looking_on_beside_an_open_cart_is_no_browse() -> None:
    assert left("browse", added("a"), looked("b", 1)) == []


def test_looking_on_after_an_order_of_the_same_visit_is_no_browse() -> None:
    assert left("browse", added("a"), order("b", 1), looked("c", 2)) == []


def test_looking_on_after_a_lost_cart_of_the_same_visit_is_no_browse() -> None:
    model = RULES.models[0].model
    quick = tuple(
        rule.model_copy(update={"timeout": timedelta(minutes=5)}) if rule.kind == "cart" else rule
        for rule in model.abandonment
    )
    rules = compile_rules([model.model_copy(update={"abandonment": quick})])
    evidence = (added("a"), looked("b", 10 * MINUTE))
    found = only(Abandonment, fold(*evidence, now=HOUR, rules=rules))
    assert [one.kind for one in found] == ["cart"]


def test_looking_on_in_the_next_visit_is_a_browse_again() -> None:
    (found,) = left("browse", added("a"), order("b", 1), looked("c", HOUR))
    assert found.opened_at == instant(HOUR)


def test_a_browse_lists_what_was_looked_at_last_and_nothing_is_at_stake() -> None:
    views = [
        looked(f"v{at:02}", at, product_id=f"p-{at}", product_name="Lamp", value=at / 4)
        for at in range(12)
    ]
    (found,) = left("browse", *views, looked("w", 12, product_id="p-5", value=9.99))
    last_ten = ["p-2", "p-3", "p-4", "p-6", "p-7", "p-8", "p-9", "p-10", "p-11", "p-5"]
    assert [product.product_id for product in found.contents] == last_ten
    assert found.contents[-1] == Product(product_id="p-5", name="", quantity=0, price=9.99)
    assert (found.items, found.value) == (0, 0.0)


def test_an_order_recovers_a_browse_at_the_end_of_its_window_and_not_after_it() -> None:
    edge = TIMEOUT + RECOVERY
    (found,) = left("browse", looked("a"), order("b", edge, channel="store"))
    assert (found.recovered_at, found.recovered_channel) == (instant(edge), "store")
    assert found.recovered_touchpoint_id == "b"
    (found,) = left("browse", looked("a"), order("b", edge + 1))
    assert (found.recovered_at, found.recovered_touchpoint_id) == (None, "")


def test_a_cart_that_arrives_late_takes_the_browse_back() -> None:
    life = Life()
    life.see(looked("a"))
    life.wait(HOUR)
    (wrong,) = table("browse", life)
    life.see(added("b", MINUTE))
    retracted = life.rows[wrong.abandonment_id]
    assert (retracted.is_deleted, retracted.version) == (True, wrong.version + 1)
    assert len(table("cart", life)) == 1


# --- form ---------------------------------------------------------------------------------------


def test_a_form_that_is_not_sent_is_abandoned_after_the_timeout_at_its_last_field() -> None:
    evidence = (
        started("a", field="name"),
        seen("b", MINUTE, "Form Left", form="contact", step="contact.phone"),
    )
    assert left("form", *evidence, now=MINUTE + TIMEOUT) == []
    (found,) = left("form", *evidence, now=MINUTE + TIMEOUT + 1)
    assert (found.step, found.opened_at) == ("contact.phone", instant(0))


def test_a_form_that_is_sent_in_time_is_not_abandoned() -> None:
    assert left("form", started("a"), submitted("b", TIMEOUT)) == []


def test_the_sending_of_another_form_does_not_end_it() -> None:
    (found,) = left("form", started("a"), started("b", 1, "quiz"), submitted("c", 2, "quiz"))
    assert found.step == "contact"


def test_two_forms_are_abandoned_each_for_itself() -> None:
    found = left("form", started("a"), started("b", MINUTE, "quiz"))
    assert [one.step for one in found] == ["contact", "quiz"]


def test_a_form_without_a_name_is_ended_by_any_sending() -> None:
    assert left("form", seen("a", 0, "Form Started"), submitted("b", 1)) == []


def test_an_order_does_not_end_a_form() -> None:
    assert len(left("form", started("a"), order("b", 1))) == 1


def test_a_form_is_recovered_by_its_sending_within_the_window() -> None:
    edge = TIMEOUT + RECOVERY
    (found,) = left("form", started("a"), submitted("b", edge, channel="app"))
    assert (found.recovered_at, found.recovered_channel) == (instant(edge), "app")
    (found,) = left("form", started("a"), submitted("b", edge + 1))
    assert found.recovered_at is None
    (found,) = left("form", started("a"), submitted("b", HOUR, "quiz"))
    assert found.recovered_at is None


def test_no_more_than_ten_things_are_open_so_of_many_forms_only_the_first_nine_are_followed() -> (
    None
):
    found = left("form", *(started(f"f{at:02}", at, f"form-{at}") for at in range(30)))
    assert [one.step for one in found] == [f"form-{at}" for at in range(9)]


def test_a_sending_that_arrives_late_takes_the_form_back() -> None:
    life = Life()
    life.see(started("a"))
    life.wait(HOUR)
    (wrong,) = table("form", life)
    life.see(submitted("b", TIMEOUT))
    assert (table("form", life), life.rows[wrong.abandonment_id].is_deleted) == ([], True)


# --- newsletter ---------------------------------------------------------------------------------

THREE_MAILS = (mail("a"), mail("b", DAY), mail("c", 2 * DAY))


def test_three_mails_in_a_row_that_nobody_opened_lose_a_reader_three_days_after_the_third() -> None:
    due = 2 * DAY + UNOPENED
    assert left("newsletter", *THREE_MAILS, now=due) == []
    (found,) = left("newsletter", *THREE_MAILS, now=due + 1)
    assert (found.opened_at, found.abandoned_at) == (instant(0), instant(due))
    assert (found.last_touchpoint_id, found.step) == ("c", "Email Delivered")
    assert found.session_id == identifier(SITE, VISITOR, "c")


def test_two_mails_are_not_enough() -> None:
    assert left("newsletter", *THREE_MAILS[:2]) == []


def test_an_opening_at_the_deadline_keeps_the_reader_and_the_counting_begins_anew() -> None:
    due = 2 * DAY + UNOPENED
    opened = seen("d", due, "Email Opened")
    assert left("newsletter", *THREE_MAILS, opened) == []
    more = (mail("e", due + DAY), mail("f", due + 2 * DAY))
    assert left("newsletter", *THREE_MAILS, opened, *more) == []
    assert len(left("newsletter", *THREE_MAILS, opened, *more, mail("g", due + 3 * DAY))) == 1


def test_a_further_mail_does_not_put_the_deadline_off() -> None:
    (found,) = left("newsletter", *THREE_MAILS, mail("d", 3 * DAY), mail("e", 4 * DAY))
    assert (found.abandoned_at, found.last_touchpoint_id) == (instant(2 * DAY + UNOPENED), "c")


def test_what_is_not_due_yet_has_no_deadline_and_hides_none() -> None:
    counting, form = Stake("newsletter", NOON, "a"), Stake("form", NOON, "b")
    cursor = Cursor(last_at=NOON, open={"newsletter": counting})
    assert deadline(cursor, RULES.abandonment) is None
    for open_ in ([counting, form], [form, counting]):
        cursor.open = {stake.kind: stake for stake in open_}
        assert deadline(cursor, RULES.abandonment) == NOON + 30 * MINUTE


def test_a_visit_to_the_shop_is_no_opening() -> None:
    assert len(left("newsletter", *THREE_MAILS, seen("d", 3 * DAY), looked("e", 3 * DAY + 1))) == 1


def test_an_opening_by_a_machine_is_no_evidence_and_keeps_nobody() -> None:
    by_machine = seen("d", 3 * DAY, "", channel="newsletter")
    assert len(left("newsletter", *THREE_MAILS, by_machine)) == 1


def test_mails_that_are_no_newsletter_do_not_count() -> None:
    assert left("newsletter", *THREE_MAILS[:2], mail("c", 2 * DAY, channel="email")) == []


def test_a_farewell_counts_at_once() -> None:
    life = Life()
    life.see(mail("a"), seen("b", HOUR, "Unsubscribed", channel="newsletter"))
    (found,) = table("newsletter", life)
    assert (found.opened_at, found.abandoned_at) == (instant(0), instant(HOUR))
    assert (found.step, found.last_touchpoint_id) == ("Unsubscribed", "b")


def test_a_farewell_without_a_mail_before_counts_too_and_only_once() -> None:
    again = seen("b", DAY, "Newsletter Unsubscribed")
    (found,) = left("newsletter", seen("a", 0, "Unsubscribed"), again)
    assert (found.opened_at, found.abandoned_at) == (instant(0), instant(0))


def test_who_is_lost_is_not_lost_again_by_further_mails() -> None:
    more = (mail(f"m{at}", at * DAY) for at in range(6, 20))
    assert len(left("newsletter", *THREE_MAILS, *more)) == 1


def test_opening_clicking_or_subscribing_again_recovers_the_reader() -> None:
    for name in ("Email Opened", "Email Link Clicked", "Newsletter Subscribed"):
        again = seen("d", 10 * DAY, name, channel="newsletter")
        (found,) = left("newsletter", *THREE_MAILS, again)
        assert (found.recovered_at, found.recovered_touchpoint_id) == (instant(10 * DAY), "d")


def test_a_reader_is_recovered_until_the_end_of_the_window() -> None:
    said = seen("a", 0, "Unsubscribed")
    (found,) = left("newsletter", said, seen("b", 21 * DAY, "Newsletter Subscribed"))
    assert found.recovered_at == instant(21 * DAY)
    (found,) = left("newsletter", said, seen("b", 21 * DAY + 1, "Newsletter Subscribed"))
    assert found.recovered_at is None


def test_an_opening_that_arrives_late_takes_the_loss_back() -> None:
    life = Life()
    life.see(*THREE_MAILS)
    life.wait(2 * DAY + UNOPENED + HOUR)
    assert len(table("newsletter", life)) == 1
    life.see(seen("d", 2 * DAY + UNOPENED, "Email Opened"))
    assert table("newsletter", life) == []
    assert surviving(life.rows) == life.replayed()


# --- journey ------------------------------------------------------------------------------------


def test_a_journey_ends_by_a_silence_longer_than_the_limit_of_its_phase() -> None:
    assert left("journey", seen("a"), now=AWARENESS) == []
    (found,) = left("journey", seen("a"), now=AWARENESS + 1)
    assert (found.step, found.abandoned_at) == ("awareness", instant(AWARENESS))


def test_a_phase_without_a_limit_of_its_own_has_the_timeout_of_the_rule() -> None:
    assert left("journey", looked("a"), now=CONSIDERATION) == []
    (found,) = left("journey", looked("a"), now=CONSIDERATION + 1)
    assert found.step == "consideration"


def test_any_touchpoint_keeps_the_journey_going() -> None:
    (found,) = left("journey", seen("a"), seen("b", AWARENESS))
    assert (found.opened_at, found.abandoned_at) == (instant(0), instant(2 * AWARENESS))
    assert found.last_touchpoint_id == "b"


def test_whose_journey_is_in_no_phase_gives_up_none() -> None:
    assert left("journey", seen("a", 0, "Link Clicked")) == []


def test_any_touchpoint_within_the_window_recovers_a_journey_and_begins_the_next() -> None:
    edge = AWARENESS + RECOVERY
    first, second = left("journey", seen("a"), seen("b", edge, channel="email"))
    assert (first.recovered_at, first.recovered_channel) == (instant(edge), "email")
    assert (second.opened_at, second.recovered_at) == (instant(edge), None)
    first, _ = left("journey", seen("a"), seen("b", edge + 1))
    assert first.recovered_at is None


def test_what_lies_in_the_cart_is_at_stake_in_a_journey_too() -> None:
    (found,) = left("journey", added("a", product_id="p-1", items=2, value=30.0, currency="EUR"))
    assert (found.items, found.value, found.currency) == (2, 30.0, "EUR")


def test_a_late_touchpoint_takes_the_end_of_a_journey_back_and_the_id_stays() -> None:
    life = Life()
    life.see(seen("a"))
    life.wait(AWARENESS + HOUR)
    (wrong,) = table("journey", life)
    life.see(seen("b", AWARENESS))
    assert table("journey", life) == []
    life.wait(3 * AWARENESS)
    (right,) = table("journey", life)
    assert right.abandonment_id == wrong.abandonment_id
    assert (right.abandoned_at, right.version > wrong.version) == (instant(2 * AWARENESS), True)


# --- several at once ----------------------------------------------------------------------------


def test_the_deadlines_of_all_that_is_open_count_one_after_the_other() -> None:
    life = Life()
    life.see(mail("a"), mail("b", 1), mail("c", 2))
    life.see(started("d", HOUR), added("e", HOUR))
    assert next_deadline(life.state, RULES) == NOON + HOUR + TIMEOUT
    life.wait(HOUR + TIMEOUT + 1)
    assert {found.kind for found in only(Abandonment, life.rows.values())} == {"form", "cart"}
    life.wait(2 * DAY)
    assert next_deadline(life.state, RULES) == NOON + UNOPENED + 2
    life.wait(UNOPENED + 3)
    assert len(table("newsletter", life)) == 1
    assert next_deadline(life.state, RULES) == NOON + HOUR + 14 * DAY
    life.wait(HOUR + 14 * DAY + 1)
    assert len(table("journey", life)) == 1


def test_it_does_not_matter_how_late_all_of_them_are_noticed() -> None:
    evidence = (*THREE_MAILS, started("d", 3 * DAY), looked("e", 3 * DAY))
    life = Life()
    life.see(*evidence)
    for day in range(3, 40):
        life.wait(day * DAY)
    assert surviving(life.rows) == life.replayed()
    assert {found.kind for found in only(Abandonment, life.rows.values())} == {
        "form",
        "browse",
        "newsletter",
        "journey",
    }


def test_an_order_recovers_browse_cart_and_checkout_and_leaves_form_and_newsletter() -> None:
    rows = fold(
        looked("a"),
        added("b", HOUR),
        seen("c", 2 * HOUR, "Checkout Started"),
        started("d", 2 * HOUR),
        seen("e", 2 * HOUR, "Unsubscribed"),
        order("f", 3 * HOUR),
        now=4 * HOUR,
    )
    found = {one.kind: one.recovered_touchpoint_id for one in only(Abandonment, rows)}
    assert found == {"browse": "f", "cart": "f", "checkout": "f", "form": "", "newsletter": ""}


def test_no_kind_pushes_another_out_of_memory() -> None:
    browses = [looked(f"b{at}", at * HOUR) for at in range(1, 9)]
    evidence = (added("a"), *browses, order("z", 10 * HOUR))
    assert [one.recovered_touchpoint_id for one in left("cart", *evidence)] == ["z"]


def test_a_state_with_everything_open_and_lost_stays_small() -> None:
    life = Life()
    long = "x" * 64
    for number in range(200):
        product = f"{number:064}"
        life.see(added(f"t{number}", number * HOUR, product_id=product, product_name=long, items=1))
        life.see(started(f"f{number}", number * HOUR + 1, f"{number:060}"))
    assert len(encode_state(life.state)) < 200_000
