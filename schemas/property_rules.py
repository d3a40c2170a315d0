"""Which properties a site keeps. Floor 1: imports nothing of ours."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Maskable = Literal["email", "card", "iban", "secret", "phone"]


class PropertyRules(BaseModel):
    """What a site keeps of properties, and what is masked in URLs, titles and free values.

    `deny` names what is removed at any depth, in any case. With `allow` only the properties it
    names stay, besides those that the pipeline itself reads.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    deny: frozenset[str] = frozenset()
    allow: frozenset[str] | None = None
    mask: frozenset[Maskable] = frozenset({"email", "card", "iban", "secret"})
