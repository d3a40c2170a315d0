"""Money as shops and exports write it, read where it can mean one thing only. PURE.

`1.234,56`, `1,234.56`, `$19.99`, `19,99 €`, `CHF 1'234.-` say what they are. `1,234` does not: it
is a thousand in one country, and one and a bit in another. What cannot be read is told with its
reason; it is never 0.
"""

import re
import unicodedata
from html import unescape
from typing import Literal, NamedTuple

from pipeline.values.identifiers import is_placeholder

Problem = Literal[
    "",
    "unreadable",
    "ambiguous",
    "negative",
    "too_large",
    "too_small",
    "currency",
    "quantity",
    "missing",
]
"""Why money is not counted; empty where it is."""

Decimal = Literal[".", ","]
"""The mark before the cents."""

MOST_MONEY = 1e12
"""More is no price but a mistake, and would not fit into its column."""

_SIGNS = {
    "€": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "£": "GBP",
    "us$": "USD",
    "a$": "AUD",
    "c$": "CAD",
    "ca$": "CAD",
    "r$": "BRL",
    "hk$": "HKD",
    "mx$": "MXN",
    "nt$": "TWD",
    "nz$": "NZD",
    "s$": "SGD",
    "jp¥": "JPY",
    "cn¥": "CNY",
    "rmb": "CNY",
    "fr": "CHF",
    "sfr": "CHF",
    "zł": "PLN",
    "kč": "CZK",
    "₹": "INR",
    "₽": "RUB",
    "₺": "TRY",
    "₩": "KRW",
    "₴": "UAH",
    "ft": "HUF",
    "lei": "RON",
    "tl": "TRY",
    "₪": "ILS",
    "฿": "THB",
    "₱": "PHP",
    "₫": "VND",
    "đ": "VND",
    "zl": "PLN",
    "zloty": "PLN",
    "лв": "BGN",
    "\u0440\u0443\u0431": "RUB",
    "\u0440": "RUB",
    "₦": "NGN",
    "₡": "CRC",
    "₲": "PYG",
    "₸": "KZT",
    "₾": "GEL",
    "₼": "AZN",
    "ksh": "KES",
    "kd": "KWD",
    "bd": "BHD",
    "jd": "JOD",
    "dt": "TND",
    "د.إ": "AED",
    "ر.س": "SAR",
    "$us": "USD",
    "usd$": "USD",
    "au$": "AUD",
    "franken": "CHF",
    "rm": "MYR",
    "rp": "IDR",
}
_DOLLARS = frozenset(
    {
        *("USD", "AUD", "CAD", "NZD", "SGD", "HKD", "MXN", "TWD", "CLP", "COP", "ARS", "UYU"),
        *("BRL", "BBD", "BMD", "BND", "BSD", "BZD", "CUP", "CVE", "DOP", "FJD", "GYD", "JMD"),
        *("KYD", "LRD", "MOP", "NAD", "NIO", "SBD", "SRD", "TOP", "TTD", "WST", "XCD", "ZWL"),
        *("USDT", "USDC", "ECS", "PAB", "BOB", "CLF", "MXV", "USN", "ZWG"),
    }
)
_YEN = frozenset({"JPY", "CNY", "CNH"})
_SHARED_SIGNS = {
    "$": _DOLLARS,
    "dollar": _DOLLARS,
    "dollars": _DOLLARS,
    "¥": _YEN,
    "円": frozenset({"JPY"}),
    "kr": frozenset({"DKK", "SEK", "NOK", "ISK"}),
    "rs": frozenset({"INR", "PKR", "LKR", "NPR", "MUR", "SCR"}),
    "r": frozenset({"ZAR", "BRL", "RUB"}),
}
"""Signs of several currencies: none of them is named, but others are excluded."""
_ALSO = {
    "£": frozenset({"EGP", "GIP", "FKP", "SHP", "SYP", "LBP", "SDG", "SSP", "GGP", "IMP", "JEP"}),
    "fr": frozenset({"XOF", "XAF", "XPF", "BIF", "CDF", "DJF", "GNF", "KMF", "RWF", "CHW", "CHE"}),
    "lei": frozenset({"MDL"}),
    "₩": frozenset({"KPW"}),
    "₱": frozenset({"MXN", "CUP"}),
}
"""Which other currencies have the sign of one too: it means theirs if the event says so."""
_POINT_BEFORE_CENTS = frozenset(
    {
        *("USD", "GBP", "AUD", "CAD", "NZD", "INR", "SGD", "HKD", "MXN", "CNY", "TWD", "THB"),
        *("PHP", "MYR", "ILS", "KWD", "BHD", "OMR", "JOD", "IQD", "LYD"),
    }
)
_COMMA_GROUPS = frozenset({"$", "¥", "円", "rs"})
"""Where a comma groups thousands in every country that pays so."""
_POINT_GROUPS = frozenset(
    {"kr", "DKK", "SEK", "NOK", "PLN", "CZK", "HUF", "RON", "BRL", "ARS", "TRY", "RUB", "UAH"}
)
"""Where a point does, as far as a person has written it: a program writes a point before cents."""
_WITHOUT_CENTS = frozenset(
    {
        *("BIF", "CLP", "DJF", "GNF", "IDR", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX"),
        *("VND", "VUV", "XAF", "XOF", "XPF", "COP"),
    }
)
"""What has no cents, by ISO 4217 or by what people do: three digits after a mark are thousands."""

_CODE = re.compile(r"[A-Z]{3}|USD[CT]")
_AMOUNT = re.compile(r"(\D*?)\s*((?:[.,](?=\d))?\d[\d.,' ]*)\s*(\D*)")
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_SPACED = re.compile(r"\d{1,3}(?:[ ']\d{3})+(?:[.,]\d+)?")
_GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})*,\d{3}")
"""Thousands, also India's 1,23,456."""
_NO_CENTS = re.compile(r"(?<=\d)([.,:])-+")
_THOUSANDS = re.compile(r"-?\d{1,3}(?:\.\d{3})+")
_BRACKETS = re.compile("[()]")
_RANGE = re.compile(r"\d\s*-\s*\d")
_OTHER_MARKS = str.maketrans("\u066b\u066c\u2019\u2212\u2013\u2014", ".,'---")
"""Arabic marks, the typographic apostrophe, the minus sign and the dashes."""
_NO_NUMBER = re.compile(r"(?i)^\s*-?inf(?:inity)?\s*$")
"""What a division by nothing leaves: something was said, and it is no amount."""
_MARKS: dict[str, Decimal] = {".": ".", ",": ","}
_GROUP = 3


class Amount(NamedTuple):
    """A sum of money: its `currency`, where the amount itself names one, and what is wrong."""

    value: float = 0.0
    currency: str = ""
    problem: Problem = ""


UNREADABLE = Amount(problem="unreadable")
_NONE: frozenset[str] = frozenset()


class _Named(NamedTuple):
    """What stands around a number: the currencies that it may mean, the one that it names, and the
    sign that several share.
    """

    meant: frozenset[str]
    code: str
    sign: str


def read_amount(said: object, currency: str = "", decimal: Decimal | None = None) -> Amount | None:
    """Read a sum of money; None where nothing was said.

    `currency` and `decimal`, the mark before the cents, decide where the amount itself does not.
    """
    if said is None or (isinstance(said, str) and is_unsaid(said) and not _NO_NUMBER.search(said)):
        return None
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        return UNREADABLE
    if not isinstance(said, str):
        return _bounded(said, "")
    return _read_text(said, currency, decimal)


def is_unsaid(text: str) -> bool:
    """Tell whether a text stands where no number is known; 0 is a number."""
    return not any(char.isdigit() for char in text) and is_placeholder(text)


def read_currency(said: object) -> tuple[str, bool]:
    """Give a currency as its code in capitals, or nothing, and whether it could be read."""
    if said is None:
        return "", True
    if not isinstance(said, str):
        return "", False
    text = said.strip().rstrip(".")
    if is_placeholder(text) or text.casefold() in _SHARED_SIGNS:
        return "", True
    code = _SIGNS.get(text.casefold(), text.upper())
    return (code, True) if _CODE.fullmatch(code) else ("", False)


def _read_text(said: str, currency: str, decimal: Decimal | None) -> Amount:
    text = unicodedata.normalize("NFKC", unescape(said)).translate(_OTHER_MARKS).strip(" \"'*")
    is_grouped = currency in _WITHOUT_CENTS and _THOUSANDS.fullmatch(text)
    if decimal != "," and _PLAIN.fullmatch(text) and not is_grouped:
        return _bounded(float(text), "")  # as a program writes it
    if (ends := _NO_CENTS.search(text)) and decimal is None:
        decimal = _MARKS.get(ends[1])
    text = _NO_CENTS.sub("", text)
    found = _AMOUNT.fullmatch(_BRACKETS.sub("", text).replace("-", "", 1).removeprefix("+"))
    named = None if found is None or _RANGE.search(text) else _named(found[1], found[3])
    if found is None or named is None:
        return UNREADABLE
    meant, code, sign = named
    if currency and meant and currency not in meant:
        return Amount(0.0, currency, "currency")
    code = currency if code and currency else code
    try:
        number = read_number(
            found[2].strip(), decimal or _usual_mark(code or currency, sign, found[2])
        )
    except ValueError:
        return UNREADABLE
    if number is None:
        return Amount(0.0, code, "ambiguous")
    return _bounded(-number if "(" in text or "-" in text else number, code)


def read_number(text: str, decimal: Decimal | None = None) -> float | None:
    """Read digits with or without marks between them; None where they can be two numbers.

    Raises:
        ValueError: they are none.
    """
    if _SPACED.fullmatch(text):
        text = text.replace(" ", "").replace("'", "")
    last = max(text.rfind("."), text.rfind(","))
    if last < 0:
        return float(text)
    mark, whole, rest = text[last], text[:last], text[last + 1 :]
    if "." in whole or "," in whole:
        is_thousands = mark in whole
        return _grouped(text) if is_thousands else float(f"{_grouped(whole):.0f}.{rest}")
    if len(rest) != _GROUP or whole in ("", "0") or len(whole) > _GROUP:
        return float(f"{whole or 0}.{rest or 0}")
    if decimal is None:
        return None
    return float(f"{whole}.{rest}") if mark == decimal else float(whole + rest)


def _grouped(text: str) -> float:
    if not _GROUPED.fullmatch(text):
        raise ValueError(text)
    return float(text.replace(",", "").replace(".", ""))


def _named(before: str, after: str) -> _Named | None:
    """Read what stands around a number; None: something else, or what contradicts itself."""
    meant: frozenset[str] = frozenset()
    code = sign = ""
    for word in filter(None, (part.strip(" .").casefold() for part in (before, after))):
        if word in _SHARED_SIGNS:
            sign, these = word, _SHARED_SIGNS[word]
        else:
            told, is_read = read_currency(word)
            if not is_read:
                return None
            code = code or told
            these = _ALSO.get(word, _NONE) | ({told} if told else _NONE)
        if meant and these and not meant & these:
            return None
        meant = meant & these or meant or these
    return _Named(meant, next(iter(meant)) if len(meant) == 1 else code, sign)


def _usual_mark(currency: str, sign: str, written: str) -> Decimal | None:
    """Give the mark before the cents where this currency is paid, else this sign is known."""
    if currency in _WITHOUT_CENTS:
        return "." if "," in written else ","
    if "." in written and (currency or sign) in _POINT_GROUPS:
        return ","
    is_grouped = not currency and sign in _COMMA_GROUPS and "," in written
    return "." if currency in _POINT_BEFORE_CENTS or is_grouped else None


def _bounded(number: float, code: str) -> Amount:
    if not abs(number) < MOST_MONEY:
        return Amount(0.0, code, "too_large")
    return Amount(float(number) + 0.0, code, "negative" if number < 0 else "")  # no -0.0
