"""Secrets of our own: short ones, samples and half a configuration are refused."""

import json
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from pipeline.cli.shared import read_settings
from pipeline.collector.endpoints import unknown_places
from pipeline.settings import BadSettings, Settings, environment_of
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


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("journey_models", "lifecycle", ["lifecycle"]),
        ("journey_models", "lifecycle, aida", ["lifecycle", "aida"]),
        ("journey_models", '"lifecycle"', ["lifecycle"]),
        ("collector_origins", "https://shop.example", ["https://shop.example"]),
        ("brand_terms", "", []),
        ("site_hosts", "shop:shop.example", {"shop": ["shop.example"]}),
        ("site_time_zones", "shop:Europe/Berlin,a:UTC", {"shop": "Europe/Berlin", "a": "UTC"}),
        ("collector_trusted_proxies", "10.0.0.0/8", [IPv4Network("10.0.0.0/8")]),
        ("table_retention", "touchpoints:P400D", {"touchpoints": timedelta(days=400)}),
    ],
)
def test_what_people_write_for_a_list_or_a_table_is_read_as_they_mean_it(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    monkeypatch.setenv(f"TOUCHSTREAM_{name.upper()}", text)
    assert value == getattr(Settings(), name)


def test_write_keys_may_be_key_colon_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTREAM_WRITE_KEYS", "wk:shop, wk2:blog")
    assert {"wk": "shop", "wk2": "blog"} == {
        key: known.site for key, known in Settings().write_keys.items()
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("WRITE_KEYS", "wk"),
        ("WRITE_KEYS", '{"wk": "shop"'),
        ("WRITE_KEYS", '{"": "shop"}'),
        ("WRITE_KEYS", ":shop"),
        ("WRITE_KEYS", '{"a b": "shop"}'),
        ("JOURNEY_MODELS", "[lifecycle]"),
        ("WATCH_LINK", "http://grafana.example/d/x?var-site={shop}"),
        ("WATCH_LINK", "http://grafana.example/{"),
        ("WATCH_LINK", "http://grafana.example/d/a board"),
        ("WATCH_LINK", "grafana"),
        ("SESSION_GAP", "half an hour"),
        ("SESSION_GAP", "-PT30M"),
        ("KAFKA_PARTITIONS", "four"),
        ("LIVE_KEYS", '[""]'),
        ("SERVER_SECRETS", '{"shop": [""]}'),
        ("SITE_TIME_ZONES", "shop:Mars"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_the_exit_code_is_2(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv("TOUCHSTREAM_SITE_SALT", "s" * 32)
    monkeypatch.setenv(f"TOUCHSTREAM_{name}", text)
    with pytest.raises(BadSettings) as refused:
        read_settings()
    assert f"TOUCHSTREAM_{name}" in str(refused.value)
    assert refused.value.exit_code == 2


def _is_a_length(field: FieldInfo) -> bool:
    return field.annotation in (int, float, timedelta)


@pytest.mark.parametrize(
    "name", [name for name, field in Settings.model_fields.items() if _is_a_length(field)]
)
def test_no_length_count_or_share_is_negative_or_beyond_all_calendars(name: str) -> None:
    is_time = Settings.model_fields[name].annotation is timedelta
    assert name in complaint(**{name: timedelta(seconds=-1) if is_time else -1})
    if is_time:
        assert name in complaint(**{name: timedelta.max})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"write_keys = {", "not TOML"),
        (b"session_gap = 30m", "not TOML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"sesion_gap = 30", "TOUCHSTREAM_SESION_GAP"),
        (b"session_gap = [1]", "TOUCHSTREAM_SESSION_GAP"),
        (b"journey_models = 3", "TOUCHSTREAM_JOURNEY_MODELS"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "touchstream.toml").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadSettings, match=said):
        read_settings()


def test_a_file_that_is_a_folder_or_has_a_mark_before_utf_8(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "touchstream.toml"
    path.write_bytes(b"\xef\xbb\xbfkafka_partitions = 7")
    assert read_settings().kafka_partitions == 7
    monkeypatch.setenv("TOUCHSTREAM_CONFIG", str(tmp_path))
    with pytest.raises(BadSettings, match="cannot be read: it is a folder"):
        read_settings()
    monkeypatch.delenv("TOUCHSTREAM_CONFIG")
    monkeypatch.setenv("TOUCHSTREAM_SECRETS_DIR", str(tmp_path / "none"))
    with pytest.raises(BadSettings, match="no folder"):
        read_settings()
