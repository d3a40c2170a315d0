"""Topics have the names at Kafka that the settings give them, wherever a partition is named."""

import re

from tests.support.house import SOURCES

_BARE = re.compile(r"\b(?:TopicPartition|TP)\(\s*(?:[\w.]+\.name\b|[\"'])")


def test_no_partition_is_named_without_the_prefix() -> None:
    assert [module for module, text in SOURCES.items() if _BARE.search(text)] == []
