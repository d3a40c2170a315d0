"""PURE: how far somebody has got in a form or a checkout, according to the properties."""

from typing import NamedTuple

import msgspec

from pipeline.tracker.properties import said, word

_LONGEST = 60
"""Longest name of a form and of its field: both together are a step's name."""


class Progress(NamedTuple):
    """The form being filled in, and the step reached; empty if the name says enough."""

    form: str = ""
    step: str = ""


class _Properties(msgspec.Struct, gc=False):
    form: object = ""
    form_id: object = ""
    field: object = ""
    step: object = ""


_properties = msgspec.json.Decoder(_Properties)
_FORM = frozenset({"Form Started", "Form Left", "Form Submitted"})
_CHECKOUT = frozenset({"Checkout Step Viewed", "Checkout Step Completed"})
_NO_PROGRESS = Progress()


def read_progress(name: str, properties: str | bytes) -> Progress:
    """Read a form's name and its last field, or the number of a checkout's step (Segment)."""
    if name not in _FORM and name not in _CHECKOUT:
        return _NO_PROGRESS
    given = said(_properties, properties)
    if given is None:
        return _NO_PROGRESS
    if name in _CHECKOUT:
        return Progress(step=f"{name} {word(given.step, _LONGEST)}".strip())
    form = word(given.form, _LONGEST) or word(given.form_id, _LONGEST)
    return Progress(form, ".".join(filter(None, (form, word(given.field, _LONGEST)))))
