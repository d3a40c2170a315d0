"""The fuzzer itself: it runs, it changes inputs as it says, and it keeps what it finds."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.guided import fuzz
from tests.fuzz.mutate import chance, changed

needs_atheris = pytest.mark.skipif(
    find_spec("atheris") is None, reason="atheris is for Linux on x86-64 only"
)


@needs_atheris
def test_a_target_is_fuzzed_for_as_long_as_told(tmp_path: Path) -> None:
    outcome = fuzz("umami", 1, tmp_path)
    assert outcome.executions > 0  # what is found by chance is for `make fuzz`, not for every run


@needs_atheris
def test_what_comes_out_of_a_target_is_kept_once_for_each_place(tmp_path: Path) -> None:
    from tests.fuzz.one import Watched  # noqa: PLC0415 - not everywhere

    def decode(data: bytes) -> None:
        if data.startswith(b"{"):
            raise ValueError
        data.decode()

    watched = Watched(decode, tmp_path)
    for data in (b"[]", b"{", b"{}", b"\xff"):
        watched(data)
    kept = sorted(path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".txt")
    assert [b"{", b"\xff"] == kept


@given(st.binary(), st.integers(0, 2**32))
def test_any_bytes_can_be_changed_or_are_left_alone(data: bytes, seed: int) -> None:
    assert isinstance(changed(data, chance(seed)), bytes | None)


@pytest.mark.parametrize(
    "data",
    [b'{"a": [1]}', b'POST /e/\n\n{"a": 1}', b'gzip\n{"a": 1}', b"GET /i?a=1&b=2\n\n"],
    ids=["json", "body", "line", "query"],
)
def test_a_value_is_changed_and_what_stands_before_it_is_not(data: bytes) -> None:
    others = {changed(data, chance(seed)) or b"" for seed in range(50)}
    start = min(data.find(sign) for sign in (b"{", b"?") if sign in data)
    assert len(others) > 20
    assert {data[:start]} == {other[:start] for other in others}
