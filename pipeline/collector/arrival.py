"""What a request says about all the calls in it, apart from its body. PURE."""

from dataclasses import dataclass
from datetime import datetime

from schemas.times import milliseconds

_LONGEST_USER_AGENT = 4096


@dataclass(slots=True)
class Arrival:
    """The circumstances of a request.

    `ip` is truncated already, `country` that of the whole address, where it is known; `sent_at` is
    the clock of the device, if a batch tells it; `stranger` is the id of a visitor who tells none,
    empty where each call must tell one.
    """

    site: str
    received_at: datetime
    user_agent: str = ""
    ip: str = ""
    sent_at: datetime | None = None
    stranger: str = ""
    country: str = ""

    @property
    def received_ms(self) -> int:
        """Give `received_at` as Kafka writes it: milliseconds since 1970."""
        return milliseconds(self.received_at)


def browser(user_agent: str | None) -> str:
    """Give the User-Agent header if a browser (or a crawler) wrote it.

    An HTTP library names itself there, and a shop's server that reports an order is not a bot.
    """
    if user_agent is None or not user_agent.startswith("Mozilla/"):
        return ""
    return user_agent.replace("\t", " ")[:_LONGEST_USER_AGENT]
