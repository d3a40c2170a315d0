"""PURE: what happens to a record of `touchpoints.raw`: each has exactly one of these fates."""

from typing import Literal, get_args

Fate = Literal[
    "sessionised",
    "late",
    "set_aside",
    "held",
    "duplicate",
    "replayed",
    "outdated",
    "erased",
    "dead_letter",
    "tick",
    "message",
]
"""The first four become rows of `touchpoints`.

`sessionised` goes into a session. `late` is older than the site's horizon, `set_aside` older than
what is remembered of the visitor, `held` waits for the replay of a visitor that is being rebuilt.
`duplicate` has an id that is known, `replayed` a place in the log that is done with, `outdated` is
of a replay that was given up, `erased` of somebody who wants to be forgotten. `dead_letter` breaks
the contract. `tick` and `message` are no touchpoints.
"""

FATES: tuple[Fate, ...] = get_args(Fate)
