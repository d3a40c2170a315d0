"""How far somebody has come in a form or a checkout."""

import json
from typing import Any

import pytest

from pipeline.tracker.progress import Progress, read_progress


def progress(name: str, **properties: Any) -> Progress:
    return read_progress(name, json.dumps(properties).encode())


@pytest.mark.parametrize("name", ["Form Started", "Form Left", "Form Submitted"])
@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"form": "contact", "field": "phone"}, Progress("contact", "contact.phone")),
        ({"form_id": "contact", "field": "phone"}, Progress("contact", "contact.phone")),
        ({"form": "contact", "form_id": "f-7"}, Progress("contact", "contact")),
        ({"field": "phone"}, Progress("", "phone")),
        ({"form": 7, "field": 1}, Progress("7", "7.1")),
        ({"form": ["contact"], "field": None}, Progress()),
        ({"form": "x" * 90, "field": "y" * 90}, Progress("x" * 60, f"{'x' * 60}.{'y' * 60}")),
        ({}, Progress()),
    ],
)
def test_a_form_tells_its_name_and_its_last_field(
    name: str, properties: dict[str, Any], told: Progress
) -> None:
    assert progress(name, **properties) == told


@pytest.mark.parametrize("name", ["Checkout Step Viewed", "Checkout Step Completed"])
@pytest.mark.parametrize(
    ("properties", "number"),
    [({"step": 2}, " 2"), ({"step": "delivery"}, " delivery"), ({}, ""), ({"step": None}, "")],
)
def test_a_step_of_the_checkout_tells_its_number(
    name: str, properties: dict[str, Any], number: str
) -> None:
    assert progress(name, **properties) == Progress("", f"{name}{number}")


def test_no_other_touchpoint_tells_a_form_or_a_step() -> None:
    assert progress("Page Viewed", form="contact", field="phone", step=2) == Progress()


@pytest.mark.parametrize("properties", [b'{"step": 1e999999999}', b'{"form": ' + b"[" * 99_999])
def test_properties_that_nobody_can_read_tell_nothing(properties: bytes) -> None:
    assert read_progress("Checkout Step Viewed", properties).form == ""
    assert read_progress("Form Started", properties) == Progress()
