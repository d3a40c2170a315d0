"""Who or what is meant: an identifier as one text, and the words that stand where nobody is. PURE.

Forms, SDKs and exports write `undefined`, `null` or a nil UUID where they know nobody. Taken for a
name it would make one person of all strangers, and one order of all orders.
"""

import hashlib
import re
import unicodedata
from collections.abc import Collection
from math import isfinite

from pipeline.values.texts import apparent, line

_WORDS = frozenset(
    {
        *("null", "none", "nil", "nul", "void", "undefined", "nan", "n/a", "na", "#n/a", "empty"),
        *("true", "false", "unknown", "anonymous", "guest", "not set", "not_set", "no_id"),
        *(r"\n", "\\0", '""', "''", "[]", "{}", "()", "?", "_"),
        *("n.a.", "not-set", "not available", "nothing", "missing", "anon", "optout", "opt-out"),
        *("redacted", "deleted", "nat", "inf", "-inf", "infinity", "-infinity"),
        *("blank", "noid", "no-id", "removed", "hidden", "masked", "not provided", "nobody", "tbd"),
        *("default", "dummy", "invalid", "invalid date"),
        *("unbekannt", "anonym", "gast", "leer", "keine"),
        *("user_id", "userid", "user id", "anonymous_id", "anonymousid", "client_id", "clientid"),
        *("distinct_id", "visitor_id", "device_id", "customer_id", "order_id", "transaction_id"),
        *("id", "uid", "uuid", "guid", "email", "visitorid", "deviceid", "customerid", "orderid"),
        *("undef", "nullptr", "optional(nil)", "k.a.", "k. a.", "n.n.", "n. n.", "kein", "ohne"),
        *("inconnu", "anonyme", "desconocido", "anónimo", "sconosciuto", "anonimo", "onbekend"),
        *("nieznany", "okänd", "ukendt", "ukjent", "неизвестно", "аноним", "гость", "gość"),
        *("invité", "invitée", "invitado", "invitada", "convidado", "ospite", "gjest", "gæst"),
        *("gäst", "vieras", "misafir", "ゲスト", "匿名", "게스트", "익명", "访客", "訪客", "游客"),
        *("未知", "不明", "زائر", "nonetype", "user", "customer", "visitor", "kunde", "besucher"),
    }
)
"""Besides words for nothing: what an opt-out leaves, and names of fields that nobody filled in."""
_UNSAID = re.compile(
    r"[-0.]{1,36}"  # 0, 0.0, -, 00000000-0000-0000-0000-000000000000
    r"|-1(?:\.0+)?"
    r"|(?:urn:uuid:)?[0f]{8}-[0f]{4}-[0-8f][0f]{3}-[089abf][0f]{3}-[0f]{12}"
    r"|\[object \w+\]|#[a-z/0]+[!?]"  # what a script and a spreadsheet make of nothing
    r"|[$#]?\{[^{}]*\}|\{\{[^{}]*\}\}|%7b%7b.*%7d%7d|%7b\w+%7d|\*\|[^|]*\|\*"  # templates
    r"|#\w+#|\$(?:user|client|customer|visitor|device|order|transaction|anonymous)?_?id"
    r"|function\s?\w*\(.*"  # the name of a function that nobody called
    r"|<%[^%]*%>|%%[^%]+%%|%[a-z_.-]+%|\[\[[^\[\]]*\]\]|@@\w+@@|__[a-z_]+__"
    r"|(?:0[.:_|/-])?(?:undefined|null|none|nan)(?:[\s.,;:_|/-]*(?:undefined|null|none|nan|0))*[.,;]?"
    r"|.*[.:_|/-](?:undefined|null|\[object \w+\])"  # a name was put together with nothing
    r"|(?:undefined|null|\[object \w+\])[.:_|/-].*"
    r"|x{3,16}"  # blacked out
    r"|\d[.,]\d{1,15}e\+\d{2,3}"  # a spreadsheet's long number: many share the digits that are left
    r"|(?:not[\s_-]?)?logged[\s_-]?(?:in|on|out|off)"
    r"|(?:no|null|unknown|anonymous|anon|guest|default|dummy|gast|anonymer?)[\s_-]?"
    r"(?:id|name|user|customer|client|visitor|account|nutzer|benutzer|kunde|besucher)"
)
_NO_MAILBOX = re.compile(
    r"none|null|undefined|guest|gast|unknown|unbekannt|anonym(?:ous)?|nobody|noone"
    r"|(?:no|do[._-]?not|dont|kein[e]?)[._-]?(?:e?[._-]?mail|reply|answer)"
)
_NOTHING = frozenset(
    {"(direct)", "(not set)", "not set", "n/a", "nil", "(null)", "(none)", "(undefined)"}
)
_NUMBER = re.compile(r"[-0.]+|-1(?:\.0+)?|x{3,16}")
_NAMELESS = re.compile(r"[\W_]+")
_WRAPPED = re.compile(r"""[("'`<\[{](.*)[)"'`>\]}]""")
_WHOLE = re.compile(r"(\d+)\.0+")
_HASHES = frozenset(
    made(said.encode()).hexdigest()
    for word in ("", "0", "-", *_WORDS)
    for said in {word, word.upper(), word.capitalize()}
    for made in (hashlib.md5, hashlib.sha1, hashlib.sha256)
)
"""What is left of nothing when it has gone through a hash."""


def is_placeholder(text: str, more: Collection[str] = ()) -> bool:
    """Tell whether `text` stands where nobody is known; `more` are words of a site, in any case."""
    said = apparent(text).strip().casefold()
    if not said or said in _WORDS or said in _HASHES or said in more:
        return True
    wrapped = _WRAPPED.fullmatch(said)
    if wrapped and (wrapped[1].strip() in _WORDS or _UNSAID.fullmatch(wrapped[1])):
        return True
    return _UNSAID.fullmatch(said) is not None


def is_unfilled(text: str) -> bool:
    """Tell whether a text was put together with nothing, as `undefined` or `{{campaign.name}}`.

    Unlike an identifier, a text may be `0` or `default`.
    """
    said = text.strip().casefold()
    return said in _NOTHING or (not _NUMBER.fullmatch(said) and bool(_UNSAID.fullmatch(said)))


def identifier(value: object, more: Collection[str] = (), real: Collection[str] = ()) -> str:
    """Give an identifier as text, or nothing where nobody is meant.

    123, 123.0 and "123.0" are one: a table's column of numbers with gaps holds 123.0. So is a name
    in either normal form of Unicode, which differ from one system to the other. What stands
    in `real` names somebody, whatever it looks like; what has no letter and no digit, nobody.
    """
    text = _text(value)
    if not text or text in real:
        return text
    if "@" in text and text.partition("@")[2] and is_nobodys(text.casefold()):
        return ""
    return "" if _NAMELESS.fullmatch(text) or is_placeholder(text, more) else text


def is_nobodys(address: str) -> bool:
    """Tell whether an e-mail address, in lower case, is nobody's: `n/a`, `none@none.com`,
    `guest@shop.example`, `noreply@shop.example`.
    """
    name, _, host = address.partition("@")
    if not host or _NO_MAILBOX.fullmatch(name):
        return True
    return is_placeholder(name) and is_placeholder(host.partition(".")[0])


def _text(value: object) -> str:
    if isinstance(value, str):
        text = line(value) if value.isascii() else line(unicodedata.normalize("NFC", value))
        whole = _WHOLE.fullmatch(text) if text.endswith("0") else None
        return whole[1] if whole else text
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if isinstance(value, int):
        return str(value)
    if not isfinite(value):
        return ""
    return str(int(value)) if value.is_integer() else str(value)
