"""Secrets, and the addresses that stand in what is signed."""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from pipeline.settings.kinds import Duration, OwnSecret, ProviderSecret, Secret, Word, http
from schemas.fields import Site


class SecretSettings(BaseModel):
    """Secrets, and what is signed with them."""

    site_salt: Secret = Field(
        SecretStr(""),
        description="Secret in the hashes of e-mail addresses, subscribers and IP addresses; 32 "
        "characters at least. Who changes it makes strangers of everybody known.",
    )
    site_hosts: dict[Site, list[str]] = Field(
        default_factory=dict,
        description="Site -> hosts of its own, which learn by `ts_link` who has clicked in a "
        'newsletter. Example: {"shop": ["shop.example", "www.shop.example"]}',
    )
    link_keys: list[OwnSecret] = Field(
        default_factory=list,
        description="Secrets that sign newsletter links: the first signs, all are accepted; 32 "
        "characters at least.",
    )
    public_url: str = Field(
        "http://127.0.0.1:8080",
        description="The collector, as readers of mails and mail providers reach it.",
    )
    link_lifetime: Duration = Field(
        timedelta(days=365), description="How long a newsletter link leads anywhere."
    )
    provider_secrets: dict[Word, list[ProviderSecret]] = Field(
        default_factory=dict,
        description="Provider/site -> what signs its webhooks, several while one replaces another. "
        'Example: {"mailgun/shop": ["sample-signing-key"]}',
    )
    server_secrets: dict[Site, list[OwnSecret]] = Field(
        default_factory=dict,
        description="Site -> secrets with which its own servers sign their calls; several while "
        "one replaces another.",
    )

    @field_validator("link_keys", "provider_secrets", "server_secrets")
    @classmethod
    def _salted(cls, value: Any, info: ValidationInfo) -> Any:
        if value and not info.data.get("site_salt"):
            raise ValueError("needs TOUCHSTREAM_SITE_SALT, by which subscribers get other names")
        return value

    _http = field_validator("public_url")(http)
