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
        description="Secret in the hashes of e-mail addresses, subscribers and IP addresses; at "
        "least 32 characters. If you change it, everybody known becomes a stranger.",
    )
    site_hosts: dict[Site, list[str]] = Field(
        default_factory=dict,
        description="Site -> its own hosts. Newsletter links to them carry `ts_link`, which "
        'says who clicked. Example: {"shop": ["shop.example", "www.shop.example"]}',
    )
    link_keys: list[OwnSecret] = Field(
        default_factory=list,
        description="Secrets that sign newsletter links: the first signs, all are accepted; at "
        "least 32 characters.",
    )
    public_url: str = Field(
        "http://127.0.0.1:8080",
        description="URL under which mail readers and mail providers reach the collector.",
    )
    link_lifetime: Duration = Field(
        timedelta(days=365), description="How long a newsletter link is valid."
    )
    provider_secrets: dict[Word, list[ProviderSecret]] = Field(
        default_factory=dict,
        description="Provider/site -> secrets that its webhooks are signed with; several while "
        'one replaces another. Example: {"mailgun/shop": ["sample-signing-key"]}',
    )
    server_secrets: dict[Site, list[OwnSecret]] = Field(
        default_factory=dict,
        description="Site -> secrets that its servers sign their calls with; several while one "
        "replaces another.",
    )

    @field_validator("link_keys", "provider_secrets", "server_secrets")
    @classmethod
    def _salted(cls, value: Any, info: ValidationInfo) -> Any:
        if value and not info.data.get("site_salt"):
            raise ValueError("needs TOUCHSTREAM_SITE_SALT, with which subscribers are hashed")
        return value

    _http = field_validator("public_url")(http)
