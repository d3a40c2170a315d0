"""beacon.js: small, built of its sources, and served so that caches keep it."""

import gzip
import json
from pathlib import Path

import pytest

from pipeline.collector.beacon.script import ENDPOINT, FILE, Script

ROOT = Path(__file__).parents[4]
SCRIPT = Script("/v1/batch")
TAG = dict(SCRIPT.answer(None, None).headers)["etag"]


def test_it_has_less_than_5_kb_when_gzipped() -> None:
    assert len(gzip.compress(FILE.read_bytes())) < 5000


def test_the_module_says_the_same_version_as_the_product() -> None:
    package = json.loads((FILE.parent / "package.json").read_text())
    assert f'version = "{package["version"]}"' in (ROOT / "pyproject.toml").read_text()


def test_it_sends_to_the_endpoint_of_the_settings() -> None:
    text = Script("/a/b").answer(None, None).body.decode()
    assert (1, 0) == (text.count('"/a/b"'), text.count(ENDPOINT))


def test_who_takes_gzip_gets_the_same_script_packed() -> None:
    plain, packed = SCRIPT.answer(None, None), SCRIPT.answer(None, "br, gzip")
    assert plain.body == gzip.decompress(packed.body) == FILE.read_bytes()
    assert ("content-encoding", "gzip") in packed.headers
    assert ("content-encoding", "gzip") not in plain.headers


@pytest.mark.parametrize("known", [TAG, f'"other", {TAG}'])
def test_who_has_it_already_gets_304_and_no_body(known: str) -> None:
    answer = SCRIPT.answer(known, "gzip")
    assert (304, b"") == (answer.status, answer.body)


def test_another_endpoint_is_another_script_to_a_cache() -> None:
    assert 200 == Script("/a/b").answer(TAG, None).status
