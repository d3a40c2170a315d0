"""Secrets of our own: short ones, samples and half a configuration are refused."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from pipeline.settings import Settings
from pipeline.stack import environment_of

SALT = SecretStr("s" * 32)


def complaint(**settings: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        Settings(**settings)
    return str(refused.value)


def test_the_sample_of_the_documentation_is_no_secret() -> None:
    assert "sample" in complaint(site_salt="sample-" + "x" * 40)


def test_a_secret_of_31_characters_is_too_short_and_one_of_32_is_not() -> None:
    assert "fewer than 32" in complaint(site_salt="x" * 31)
    assert Settings(site_salt=SecretStr("x" * 32)).site_salt == SecretStr("x" * 32)


def test_a_secret_in_a_list_is_checked_too() -> None:
    assert "fewer than 32" in complaint(site_salt=SALT, link_keys=["short"])


def test_links_are_not_signed_without_a_salt() -> None:
    assert "TOUCHSTREAM_SITE_SALT" in complaint(link_keys=["k" * 32])


def test_the_complaint_does_not_show_the_secret() -> None:
    assert "tell-nobody" not in complaint(site_salt="tell-nobody")


def test_another_process_gets_secrets_in_lists_as_they_are() -> None:
    keys = [SecretStr("k" * 32), SecretStr("l" * 32)]
    told = environment_of(Settings(site_salt=SALT, link_keys=keys))
    assert f'["{"k" * 32}", "{"l" * 32}"]' == told["TOUCHSTREAM_LINK_KEYS"]
    assert "s" * 32 == told["TOUCHSTREAM_SITE_SALT"]


def test_providers_webhooks_are_not_taken_without_a_salt_and_samples_are_no_secrets() -> None:
    assert "TOUCHSTREAM_SITE_SALT" in complaint(provider_secrets={"mailgun/shop": ["x" * 20]})
    assert "sample" in complaint(site_salt=SALT, provider_secrets={"mailgun/shop": ["sample-key"]})
