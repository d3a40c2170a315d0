"""PURE: how many dead letters are too many, so that the fault must be elsewhere.

One refused row in ten thousand is a dead letter. If nearly all rows are refused, a table or a
contract has changed, and diverting them all would be another way to lose them. So beyond the limit
a process stops and commits nothing: it reads the same records again when the cause is gone.
"""

import msgspec

from schemas.errors import TouchstreamError

_OF = 10_000
"""The share is computed over the newest ten to twenty thousand records."""


class TooManyRefused(TouchstreamError):
    """Nearly all records are refused; the text says what to do."""


class Refusals:
    """Counts accepted and refused records; a limit of 0 means no limit."""

    def __init__(self, run: int, share: float) -> None:
        self._run_limit = run
        self._share_limit = share
        self._run = self._refused = self._all = 0

    def count(self, taken: int, refused: int) -> None:
        """Count records as accepted or refused.

        Raises:
            TooManyRefused: the limit is exceeded.
        """
        self._run = refused if taken else self._run + refused
        self._refused, self._all = self._refused + refused, self._all + taken + refused
        if self._run_limit and self._run > self._run_limit:
            raise TooManyRefused(f"{self._run:,} in a row were refused: {_WHAT_TO_DO}")
        if self._all < _OF:
            return
        share = self._refused / self._all
        if self._share_limit and share > self._share_limit:
            raise TooManyRefused(f"{share:.0%} of {self._all:,} were refused: {_WHAT_TO_DO}")
        if self._all > 2 * _OF:
            self._refused, self._all = self._refused // 2, self._all // 2


_WHAT_TO_DO = (
    "nothing more is diverted or committed. Look at `touchstream dead-letters list`, mend the "
    "cause, and start again; or, to divert all the same, set TOUCHSTREAM_DEAD_LETTERS_RUN and "
    "TOUCHSTREAM_DEAD_LETTERS_SHARE to 0"
)


class _OfSite(msgspec.Struct):
    site: str = ""


def site_in(row: bytes) -> str:
    """Return the site that a refused row names, so that an erasure finds the row; empty if none."""
    try:
        return msgspec.json.decode(row, type=_OfSite).site
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
