"""Secrets of our own: short ones, samples and half a configuration are refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from pipeline.collector.endpoints import unknown_places
from pipeline.settings import Settings, environment_of
from tests.support.docs import shell

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


def test_secrets_stand_in_files_of_a_folder_as_well(tmp_path: Path) -> None:
    (tmp_path / "touchstream_site_salt").write_text("s" * 32 + "\n")
    (tmp_path / "touchstream_link_keys").write_text(json.dumps(["k" * 32]))
    (tmp_path / "touchstream_server_secrets").write_text(json.dumps({"shop": ["short"]}))
    command = "touchstream settings || true"
    said = shell(command, tmp_path, TOUCHSTREAM_SECRETS_DIR=str(tmp_path)).stderr
    assert "TOUCHSTREAM_SERVER_SECRETS.SHOP.0: Value error, has fewer than 32" in said
    assert "short" not in said
    (tmp_path / "touchstream_server_secrets").unlink()
    told = shell("touchstream settings", tmp_path, TOUCHSTREAM_SECRETS_DIR=str(tmp_path)).stdout
    assert 'TOUCHSTREAM_LINK_KEYS=["**********"]' in told


def test_a_webhook_of_a_provider_that_nobody_knows_is_named() -> None:
    told = {place: [SecretStr("x" * 20)] for place in ("mailgun/shop", "mailgun", "other/shop")}
    known = Settings(site_salt=SALT, provider_secrets=told)
    assert ["mailgun", "other/shop"] == unknown_places(known)
