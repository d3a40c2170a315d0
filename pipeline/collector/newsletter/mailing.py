"""The links of one mail to one subscriber. PURE: the time of expiry is an argument."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.collector.newsletter.links import (
    PATH,
    Link,
    Purpose,
    sign,
)


@dataclass(frozen=True, slots=True)
class Mailing:
    """Signs with the first of `keys` what the collector at `url` will accept until `expires`."""

    url: str
    keys: Sequence[str]
    site: str
    campaign_id: str
    subscriber_id: str
    expires: datetime

    def click(self, destination: str) -> str:
        """Give the link that leads to `destination`; BadLink if that is no web address."""
        return self._signed("click", destination)

    def pixel(self) -> str:
        """Give the address of the image that is loaded when the mail is opened."""
        return self._signed("open")

    def headers(self) -> list[tuple[str, str]]:
        """Give the headers of RFC 8058, by which a mail program unsubscribes with one click."""
        return [
            ("List-Unsubscribe", f"<{self._signed('unsubscribe')}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]

    def _signed(self, purpose: Purpose, url: str = "") -> str:
        expires = int(self.expires.timestamp())
        link = Link(purpose, self.site, self.campaign_id, self.subscriber_id, expires, url)
        return self.url + PATH + sign(link, self.keys)
