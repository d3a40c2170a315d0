"""All settings in one place. A shell module: it reads environment and files, and decides nothing.

Every setting can come from the environment (`TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS=...`), from a TOML
file (`touchstream.toml`, or the path in `TOUCHSTREAM_CONFIG`), or from a file of its name
(`touchstream_clickhouse_password`) in the folder `TOUCHSTREAM_SECRETS_DIR`. The environment takes
precedence over the secrets, and these over the TOML file.
"""

import os
from html import escape
from typing import Self

from pydantic import model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from pipeline.settings.clickhouse import ClickHouseSettings
from pipeline.settings.collector import CollectorSettings
from pipeline.settings.journey import JourneySettings
from pipeline.settings.kafka import KafkaSettings
from pipeline.settings.live import LiveSettings
from pipeline.settings.outgoing import OutgoingSettings
from pipeline.settings.ports import PortSettings
from pipeline.settings.roles import RoleSettings
from pipeline.settings.secrets import SecretSettings
from pipeline.settings.sources import Environment, Secrets, TomlFile, config_file
from pipeline.settings.watch import WatchSettings

_GROUPS = ("tracker_group", "sink_group", "drain_group", "webhook_group")


class Settings(
    LiveSettings,
    OutgoingSettings,
    SecretSettings,
    WatchSettings,
    PortSettings,
    RoleSettings,
    JourneySettings,
    ClickHouseSettings,
    KafkaSettings,
    CollectorSettings,
    BaseSettings,
):
    """The settings of all roles. `touchstream settings` prints them."""

    model_config = SettingsConfigDict(
        env_prefix="TOUCHSTREAM_",
        extra="forbid",
        validate_default=True,
        hide_input_in_errors=True,
        secrets_dir=os.environ.get("TOUCHSTREAM_SECRETS_DIR") or None,
    )

    @model_validator(mode="after")
    def _groups_take_the_prefix(self) -> Self:
        for name in _GROUPS:
            group = getattr(self, name)
            if not group.startswith(self.kafka_prefix):
                setattr(self, name, f"{self.kafka_prefix}{group}")
        return self

    def script_tag(self, key: str) -> str:
        """Give the tags that put the beacon into a web page, with a write key.

        Calls may then stand anywhere in the page, before the script has loaded.
        """
        script = self.public_url + self.collector_beacon_path
        return (
            "<script>window.touchstream = window.touchstream || [];</script>\n"
            f'<script async src="{script}" data-key="{escape(key)}"></script>'
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - ours read more
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no .env is read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, secrets, file."""
        return (
            init_settings,
            Environment(settings_cls),
            Secrets(settings_cls),
            TomlFile(settings_cls, config_file()),
        )
