"""Crawlers, by what they call themselves."""

import re

import crawleruseragents
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.crawlers import any_of, is_crawler

CRAWLERS = crawleruseragents.CRAWLER_USER_AGENTS_DATA
EXAMPLES = [example for crawler in CRAWLERS for example in crawler["instances"]]
PATTERNS = [crawler["pattern"] for crawler in CRAWLERS]
one_by_one = re.compile("|".join(f"(?:{pattern})" for pattern in PATTERNS))


def test_all_crawlers_are_found() -> None:
    assert [e for e in EXAMPLES if not is_crawler(e)] == []


@given(st.sampled_from(EXAMPLES), st.integers(0, 200), st.integers(0, 200), st.text(max_size=3))
def test_patterns_sorted_by_their_letter_find_what_they_find_one_by_one(
    user_agent: str, start: int, end: int, between: str
) -> None:
    changed = user_agent[:start] + between + user_agent[end:]
    assert bool(any_of(PATTERNS).search(changed)) == bool(one_by_one.search(changed))


@pytest.mark.parametrize(
    "pattern", ["a?b", "a*b", "a+b", "a{2}b", "a|b", "^a", "[ab]c", "(a)b", "a"]
)
def test_a_pattern_whose_letter_is_not_a_letter_alone_stays_whole(pattern: str) -> None:
    for text in ("a", "b", "ab", "aab", "ac", "xa", "xb", "c", ""):
        assert bool(any_of([pattern, "xyz"]).search(text)) == bool(re.search(pattern, text))
