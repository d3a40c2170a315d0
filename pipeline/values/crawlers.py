"""Crawlers and headless browsers, by what they call themselves. PURE."""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

import crawleruseragents


def any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """Find what any of the patterns finds.

    Of a plain `a|b|c` all are tried at every character. By their first letter it is some fifty
    instead of 1,500 of them: 25 µs instead of 315 for a user agent that is no crawler's.
    """
    by_letter: dict[str, list[str]] = defaultdict(list)
    for pattern in patterns:
        if pattern[0].isalnum() and pattern[1:2] not in {*"?*+{"} and "|" not in pattern:
            by_letter[pattern[0]].append(pattern[1:])
        else:
            by_letter[""].append(f"(?:{pattern})")
    parts = (f"{letter}(?:{'|'.join(rests)})" for letter, rests in by_letter.items())
    return re.compile("|".join(parts))


_CRAWLERS = any_of(c["pattern"] for c in crawleruseragents.CRAWLER_USER_AGENTS_DATA)


@lru_cache(maxsize=16_384)
def is_crawler(user_agent: str) -> bool:
    """Say whether a user agent is that of a crawler or of a headless browser."""
    return _CRAWLERS.search(user_agent) is not None
