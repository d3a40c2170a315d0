"""Removes what a touchpoint may not contain: denied properties, personal data in values. PURE.

Every touchpoint passes here just before it becomes a record. Nearly all are clean: a scan of the
bytes shows it, and only suspicious ones are read, masked and written again.

Values under a name that ends like an id (`order_id`, `sku`) are no free values: a number there is a
number of the shop's, and an address becomes its hash, so that two people do not become one. What is
called an IP address is truncated, as the connection's is.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw

from pipeline.privacy.addresses import hashed, masked, network_of
from schemas.codec import Refused, encode
from schemas.dead_letter import Reason
from schemas.fields import LONGEST_ID
from schemas.property_rules import PropertyRules
from schemas.touchpoint import Touchpoint

OWN = frozenset(
    {
        *("products", "cart_value", "subtotal", "is_whole_cart"),
        *("order_id", "checkout_id", "revenue", "total", "value", "price", "quantity", "currency"),
        *("refund_amount", "amount", "refund_id"),
        *("product_id", "sku", "name", "country", "form", "form_id", "field", "step"),
        *("email_hash", "email_sha256", "customer_id", "subscriber_id", "traits"),
        *("is_machine_open", "is_machine_click", "channel", "segment", "persona", "kind", "phase"),
        *("engaged_seconds", "waiting_seconds", "lcp_ms", "inp_ms", "cls", "rating", "score"),
        *("department", "survey", "touchpoint"),
    }
)
"""Properties that tracker, shipped models and tables read; an allow list need not name them."""

_SHORT = 5
"""Texts up to this length have no room for an address or a number."""
_LONG_NAME = 14
"""Characters of a name in which there is no room for a number of a card or an account."""
_LONGEST_TEXT = 4096
_TEXTS = ("url", "title", "referrer")
_IDS = ("touchpoint_id", "anonymous_id", "user_id", "previous_id")

_GAP = r"(?:[ +-]|%20)?"
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_NO_GAPS = b" +-"
_SHORTEST_NUMBER, _SHORTEST_PHONE = b"0" * 10, b"0" * 7

_EMAIL = re.compile(r"[\w.+-][\w.+'-]{0,63}+(?:@|%40)(?!\d+x\.)(?:[\w-]+\.)+[^\W\d_]{2,}")
_ADDRESS_NAMES = ("mail", "mail_address", "mailaddress", "mail_addr")
_CONFIDENTIAL = (
    *("token", "password", "passwd", "passwort", "pwd", "passphrase", "secret"),
    *("api_key", "apikey", "jwt", "otp"),
)
_ENDS = tuple(f"{name}=".encode() for name in (*_ADDRESS_NAMES, *_CONFIDENTIAL))
_ENDS_IN_BRACKETS = (b"]=", b"%5d=")


def _parameter(names: Iterable[str]) -> re.Pattern[str]:
    """Find the value of a query parameter whose name ends like this, unless it is a hash."""
    beginning = rf'(?:^|[?&#;])[^=&#?;\s"]{{0,60}}?(?:{"|".join(names)})(?:\]|%5D)?='
    return re.compile(rf'({beginning})(?![0-9a-f]{{64}}\b)[^&#;\s"]+', re.IGNORECASE)


_EMAIL_PARAMETER = _parameter(_ADDRESS_NAMES)
_SECRET_PARAMETER = _parameter(_CONFIDENTIAL)
_USER_IN_URL = re.compile(r"(?<=://)[^/?#\s@]*@")
_CARD = re.compile(
    rf"(?<![\w.-])(?<!id=)[2-6][0-9]{{3}}{_GAP}"
    rf"(?:[0-9]{{4}}{_GAP}[0-9]{{4}}{_GAP}[0-9]{{4}}(?:{_GAP}[0-9]{{3}})?"
    rf"|[0-9]{{6}}{_GAP}[0-9]{{4,5}})(?![\w-]|\.[0-9])"
)
_ISSUED = re.compile(
    r"4\d{15}(?:\d{3})?"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[68]\d)\d{11}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}"  # Discover
    r"|62\d{14}(?:\d{3})?"  # UnionPay
    r"|(?:5018|5020|5038|6304|6759|676[1-3])\d{12}"  # Maestro
)
_DINERS = 14
_PHONE = re.compile(
    r"(?<![\w.-])(?:(?:\+|%2B|00)[1-9](?:[ ()/.-]{0,2}[0-9]){7,14}"
    r"|\(?0[1-9][0-9]{1,4}\)?[ /-][0-9](?:[ -]?[0-9]){4,9})(?!\w)"
)
_IBAN_LENGTHS = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
"""Characters of an IBAN by country, of SWIFT's registry."""
_IBAN = re.compile(
    "(?<![A-Za-z0-9])(?:"
    + "|".join(
        rf"(?:{countries.replace(' ', '|')})[0-9]{{2}}(?:{_GAP}[A-Z0-9]){{{length - 4}}}"
        for length, countries in _IBAN_LENGTHS.items()
    )
    + ")(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_GAPS = re.compile(r"[ +-]|%20")
_AN_IP = re.compile(r"(?i)(?:.*[^a-z])?(?:ip|ip[_-]?addr(?:ess)?|remote[_-]?addr)(?:[_-]?v?[46])?")
_ADDRESSES = re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f:]{3,39})(?![\w:])")
_IP_ENDS = (b'ip"', b"ipaddr", b"ip_addr", b"remote_addr", b"remoteaddr", b"ipv", b"ip_v")
_AN_ID = re.compile(
    r"(?i).*(?:ids?|hash|sha256|sku|ean|gtin|upc|isbn|barcode|reference|timestamp|_at"
    r"|(?:order|invoice|tracking|customer)[ _-]?(?:number|no|nr)|invoice|order)"
)


def without_address(id_: str) -> str:
    """Give an id as the tables have it: of an e-mail address in it, only the hash.

    What grows beyond the length of an id becomes the hash of it all.
    """
    covered = _EMAIL.sub(lambda found: hashed(found[0].replace("%40", "@")), id_)
    if len(covered) <= max(len(id_), LONGEST_ID):
        return covered
    return hashlib.sha256(covered.encode()).hexdigest()


class Masks:
    """Knows the rules of each site; without any, those of `PropertyRules()` apply."""

    def __init__(self, rules: Mapping[str, PropertyRules] | None = None) -> None:
        self._sites = {site: _Mask(rule) for site, rule in (rules or {}).items()}
        self._usual = _Mask(PropertyRules())

    def cover(self, touchpoint: Touchpoint) -> None:
        """Remove from `touchpoint` what its site does not keep; Refused if it is unreadable.

        Ids of visitors, users and touchpoints stay, but of an address in one only the hash.
        """
        mask, raw = self._of(touchpoint.site), bytes(touchpoint.properties)
        for field in _IDS:
            setattr(touchpoint, field, mask.id(getattr(touchpoint, field)))
        touchpoint.name = mask.name(touchpoint.name)
        texts = f"{touchpoint.url}\n{touchpoint.title}\n{touchpoint.referrer}\n".encode()
        if not mask.chooses and not mask.is_suspicious(texts + raw):
            return  # so it is with nearly every touchpoint
        if mask.is_suspicious(texts):
            for field in _TEXTS:
                setattr(touchpoint, field, mask.text(getattr(touchpoint, field))[:_LONGEST_TEXT])
        if mask.chooses or mask.is_suspicious(raw):
            try:
                kept = mask.properties(msgspec.json.decode(raw))
            except RecursionError:
                raise Refused(Reason.TOO_DEEP, "nested too deeply") from None
            except msgspec.MsgspecError as error:  # such as a number that no machine holds
                raise Refused(Reason.INVALID_FIELD, f"properties: {error}") from None
            touchpoint.properties = Raw(encode(kept))

    def letter(self, site: str, raw: bytes) -> bytes:
        """Do the same with refused bytes.

        Anything but JSON is masked as text, and left out if it may contain something denied.
        """
        mask, shown = self._of(site), masked(raw)
        try:
            call = msgspec.json.decode(shown)
            if not mask.chooses and not mask.is_suspicious(shown):
                return shown
            return encode(mask.call(call))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return mask.broken(shown)

    def _of(self, site: str) -> "_Mask":
        return self._sites.get(site, self._usual)


class _Mask:
    """The compiled rules of a site."""

    def __init__(self, rules: PropertyRules) -> None:
        self._denied = frozenset(name.lower() for name in rules.deny)
        self._allowed = None if rules.allow is None else OWN | rules.allow
        self._steps = [step for kind, step in _STEPS.items() if kind in rules.mask]
        self._has_emails = "email" in rules.mask
        self._has_parameters = not rules.mask.isdisjoint(("email", "secret"))
        self._has_numbers = not rules.mask.isdisjoint(("card", "iban", "phone"))
        self._number = _SHORTEST_PHONE if "phone" in rules.mask else _SHORTEST_NUMBER
        self.chooses = bool(self._denied) or self._allowed is not None

    def is_suspicious(self, raw: bytes) -> bool:
        """Tell whether anything may be found in `raw`; hardly ever, and it costs a microsecond."""
        if b"@" in raw or b"%40" in raw:
            return True
        lower = raw.lower()
        if (self._has_parameters and b"=" in raw and _has_parameter(lower)) or _has_ip(lower):
            return True
        if not self._has_numbers:
            return False
        if b"%20" in raw:
            raw = raw.replace(b"%20", b"")
        return self._number in raw.translate(_DIGITS, _NO_GAPS)

    def text(self, text: str) -> str:
        """Mask a free value."""
        if len(text) > _SHORT and self.is_suspicious(text.encode(errors="replace")):
            for step in self._steps:
                text = step(text)
        return text

    def id(self, value: str) -> str:
        """Put its hash in the place of an address."""
        return without_address(value) if _may_hold(value) and self._has_emails else value

    def name(self, value: str) -> str:
        """Mask the name of an event that holds an address; numbers in others stay."""
        return self.text(value)[:LONGEST_ID] if _may_hold(value) else value

    def properties(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Leave out what is denied or not allowed, and mask the rest."""
        kept = properties if self._allowed is None else self._chosen(properties, self._allowed)
        return {
            self._name(name): self._value(part, name)
            for name, part in kept.items()
            if name.lower() not in self._denied
        }

    def call(self, value: Any) -> Any:
        """Treat a refused event, or several: the rules apply to its `properties` and `traits`."""
        if isinstance(value, list):
            return [self.call(part) for part in value]
        if not isinstance(value, dict):
            return self._value(value)
        return {
            name: self.properties(part)
            if name in ("properties", "traits") and isinstance(part, dict)
            else self.call(part)
            if name == "batch"
            else self._value(part, name)
            for name, part in value.items()
            if name.lower() not in self._denied
        }

    def broken(self, raw: bytes) -> bytes:
        """Treat refused input that is unreadable."""
        lower = raw.lower()
        if self._allowed is not None or any(name.encode() in lower for name in self._denied):
            return b"(left out: not JSON, and perhaps with properties that are denied)"
        text = self.text(raw.decode("utf-8", "surrogateescape"))
        shown = _ADDRESSES.sub(lambda found: network_of(found[0]) or found[0], text)
        return shown.encode("utf-8", "surrogateescape")

    def _chosen(self, properties: dict[str, Any], allowed: frozenset[str]) -> dict[str, Any]:
        kept = {name: part for name, part in properties.items() if name in allowed}
        context, traits = properties.get("context"), kept.get("traits")
        if "context" not in allowed and isinstance(context, dict) and "consent" in context:
            kept["context"] = {"consent": context["consent"]}
        if isinstance(traits, dict):
            kept["traits"] = {name: part for name, part in traits.items() if name in allowed}
        return kept

    def _value(self, value: Any, name: str = "") -> Any:
        if isinstance(value, str):
            return self._named(value, _meaning(name))
        if isinstance(value, list):
            return [self._value(part, name) for part in value]
        if not isinstance(value, dict):
            return value
        return {
            self._name(inner): self._value(part, inner)
            for inner, part in value.items()
            if inner.lower() not in self._denied
        }

    def _name(self, name: str) -> str:
        return self.text(name) if "@" in name or len(name) > _LONG_NAME else name

    def _named(self, value: str, meaning: str) -> str:
        if not meaning:
            return self.text(value)
        if meaning == "ip":
            return network_of(value) or self.text(value)
        return without_address(value) if self._has_emails else value


def _may_hold(text: str) -> bool:
    """Tell whether an address may be in a text."""
    return "@" in text or "%40" in text


def _has_parameter(lower: bytes) -> bool:
    for end in _ENDS:  # some times faster than one expression for all
        if end in lower:
            return True
    return any(end in lower for end in _ENDS_IN_BRACKETS)


def _has_ip(lower: bytes) -> bool:
    if b"ip" not in lower and b"remote" not in lower:
        return False
    return any(end in lower for end in _IP_ENDS)


@lru_cache(maxsize=4096)
def _meaning(name: str) -> str:
    """Tell by its name whether a value is an id, an IP address, or anything."""
    if _AN_IP.fullmatch(name):
        return "ip"
    return "id" if _AN_ID.fullmatch(name) else ""


def _without_secrets(text: str) -> str:
    return _USER_IN_URL.sub("", _SECRET_PARAMETER.sub(r"\1[secret]", text))


def _without_emails(text: str) -> str:
    return _EMAIL.sub("[email]", _EMAIL_PARAMETER.sub(r"\1[email]", text))


def _without_ibans(text: str) -> str:
    return _IBAN.sub(lambda found: "[iban]" if _is_iban(found[0]) else found[0], text)


def _without_cards(text: str) -> str:
    return _CARD.sub(lambda found: "[card]" if _is_card(found[0]) else found[0], text)


def _without_phones(text: str) -> str:
    return _PHONE.sub("[phone]", text)


_STEPS: dict[str, Callable[[str], str]] = {
    "secret": _without_secrets,
    "email": _without_emails,
    "iban": _without_ibans,
    "card": _without_cards,
    "phone": _without_phones,
}
"""In this order, so that a card is not taken for a phone, nor the number in an IBAN for a card."""


def _is_card(text: str) -> bool:
    number = _GAPS.sub("", text)
    if _ISSUED.fullmatch(number) is None or (len(number) == _DINERS and number == text):
        return False  # fourteen digits without a gap are a GTIN
    doubled = (int(digit) * 2 for digit in number[-2::-2])
    return (sum(map(int, number[-1::-2])) + sum(map(_digit_sum, doubled))) % 10 == 0


def _digit_sum(number: int) -> int:
    return number // 10 + number % 10


def _is_iban(text: str) -> bool:
    account = _GAPS.sub("", text)
    return int("".join(str(int(sign, 36)) for sign in account[4:] + account[:4])) % 97 == 1


USUAL = Masks()
"""For sites without rules of their own."""
