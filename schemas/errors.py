"""Errors for people: the text is a sentence that says what to do.

    TouchstreamError                 1: it was tried and did not work
    ├── Unusable                     2: what was given cannot be used
    │   ├── BadFunnel, BadLink, BadMapping, BadModel, BadSettings, BadSources
    │   └── NobodyFound, NobodyReads, SeveralPeople, EraseRefused, MapFailed, Unknown
    ├── Unavailable                 69: a part that is needed does not answer
    │   ├── ClickHouseUnavailable, Forbidden, NotAcknowledged, TopicsFailed
    │   └── EmbeddedError, StackFailed
    └── AnotherLog, CollectorFailed, DemoFailed, ForgetFailed, ImportFailed, LiveFailed,
        MigrationRefused, ReplayFailed, Sick, SimulationFailed, Unwell, WebhookFailed

The numbers are exit codes: 2 is that of every command line, 69 is EX_UNAVAILABLE of sysexits.h.
"""


class TouchstreamError(Exception):
    """It was tried and did not work; the text says why, and what to do."""

    exit_code = 1


class Unusable(TouchstreamError):
    """What was given cannot be used: an argument, a setting, a file."""

    exit_code = 2


class Unavailable(TouchstreamError):
    """A part that is needed does not answer or ended."""

    exit_code = 69
