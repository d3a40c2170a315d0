"""Names for people that reveal nobody without the salt. PURE.

The same salt, site and person give the same name, so senders who know the same address or the
same subscriber speak of one visitor; another site gets another name for the same person.
"""

import hashlib
import hmac
from dataclasses import dataclass

from pipeline.privacy.addresses import bare


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Makes names with the secret `salt`: HMAC-SHA256 over site, kind and identifier."""

    salt: str

    def email_hash(self, site: str, address: str) -> str:
        """Give the hash of an e-mail address, bare: 64 hex digits."""
        return self._digest(site, "email", bare(address))

    def subscriber(self, site: str, subscriber_id: str) -> str:
        """Give the visitor id of a newsletter's subscriber."""
        return "nl_" + self._digest(site, "subscriber", subscriber_id)[:32]

    def network_address(self, site: str, ip: str) -> str:
        """Give the visitor id that stands for an IP address."""
        return "ip_" + self._digest(site, "ip", ip)[:32]

    def _digest(self, site: str, kind: str, identifier: str) -> str:
        named = f"{site}\0{kind}\0{identifier}".encode()
        return hmac.digest(self.salt.encode(), named, hashlib.sha256).hex()


def addressee(email_hash: str) -> str:
    """Give the visitor id of a person known only by the hash of an e-mail address."""
    return f"em_{email_hash[:32]}"
