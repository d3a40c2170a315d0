"""What docker-compose.yml needs once: `.env`, and the secrets as files. Shell: writes them."""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.settings import BadSettings, Settings
from pipeline.settings.names import secret_settings

SECRETS = Path("deploy/secrets")
_ENV = Path(".env")
_USERS = ("migrator", "sink", "watch", "reader", "grafana")
_OTHERS = ("grafana_admin_password", "alert_mail_password", "alert_slack_url")
_PORTS = {
    "COLLECTOR_PORT": 8080,
    "LIVE_PORT": 8090,
    "GRAFANA_PORT": 3000,
    "PROMETHEUS_PORT": 9090,
    "ALERTMANAGER_PORT": 9093,
    "CLICKHOUSE_PORT": 8123,
    "KAFKA_PORT": 9094,
}
"""What is reached from this machine, with the usual ports."""

_TEXT = """\
# For docker-compose.yml, by `touchstream init --compose`. Secrets are files in deploy/secrets,
# which only you can open; a file that is empty counts as not set.
COMPOSE_PROJECT_NAME=touchstream

# Settings: any line of docs/settings.md reaches every role. Files that they name, and a
# touchstream.toml if you prefer one, belong into deploy/settings.
TOUCHSTREAM_WRITE_KEYS={key}:{site}
# Where browsers and mail readers reach the collector, and people the live page.
TOUCHSTREAM_PUBLIC_URL=http://127.0.0.1:{ports[COLLECTOR_PORT]}
TOUCHSTREAM_LIVE_URL=http://127.0.0.1:{ports[LIVE_PORT]}
TOUCHSTREAM_WATCH_LINK={link}

# Ports on this machine; nobody else reaches them.
{published}

# TLS for others, by `docker compose --profile proxy up -d`: names that lead to this machine. Set
# TOUCHSTREAM_PUBLIC_URL and TOUCHSTREAM_LIVE_URL to them, with https://.
#COLLECTOR_DOMAIN=t.shop.example
#LIVE_DOMAIN=live.shop.example
#GRAFANA_DOMAIN=grafana.shop.example

# Whom Alertmanager tells. Mail: the password is deploy/secrets/alert_mail_password.
#ALERT_MAIL_TO=oncall@shop.example
#ALERT_MAIL_FROM=touchstream@shop.example
#ALERT_MAIL_HOST=mail.shop.example:587
#ALERT_MAIL_USER=touchstream
# Slack: the incoming webhook is deploy/secrets/alert_slack_url. Any other system: a webhook.
#ALERT_SLACK_CHANNEL="#shop"
#ALERT_WEBHOOK_URL=http://127.0.0.1:9000/alerts

# The network of the containers, if this one is taken; then also
# TOUCHSTREAM_COLLECTOR_TRUSTED_PROXIES.
#SUBNET=172.30.57.0/24
"""


def write_for_containers(key: str, site: str, chosen: Mapping[str, Any], base: int) -> None:
    """Write `.env` and the folder of secrets into the current folder; `base` moves all ports.

    The secrets among `chosen` and the passwords of all users become files. The folder is its
    owner's alone; in it everybody may read, as the containers run as other users.

    Raises:
        BadSettings: this is not the folder of docker-compose.yml, or something is there already.
    """
    if not Path("docker-compose.yml").exists():
        raise BadSettings("there is no docker-compose.yml here: run this in the folder of it")
    for path in (_ENV, SECRETS):
        if path.exists():
            raise BadSettings(f"{path} is there already, and in use: move it away first")
    SECRETS.mkdir(mode=0o700, parents=True)
    for name, text in _secrets(chosen).items():
        _write(SECRETS / name, text, 0o644)
    _write(_ENV, _env(key, site, base), 0o600)


def _env(key: str, site: str, base: int) -> str:
    usual = _PORTS.values()
    numbers = range(base, base + len(_PORTS)) if base else usual
    ports = dict(zip(_PORTS, numbers, strict=True))
    link = Settings.model_fields["watch_link"].default
    return _TEXT.format(
        key=key,
        site=site,
        ports=ports,
        link=link.replace("127.0.0.1:3000", f"127.0.0.1:{ports['GRAFANA_PORT']}"),
        published="\n".join(f"{name}={port}" for name, port in ports.items()),
    )


def _secrets(chosen: Mapping[str, Any]) -> dict[str, str]:
    passwords = {f"clickhouse_{user}_password": secrets.token_hex(24) for user in _USERS}
    files = dict.fromkeys(_OTHERS, "") | passwords
    files["grafana_admin_password"] = secrets.token_hex(24)
    files["clickhouse_passwords.xml"] = _hashed(passwords)
    for name in secret_settings(Settings):
        if name != "clickhouse_password":  # each role has its own
            value = chosen.get(name, "")
            files[f"touchstream_{name}"] = value if isinstance(value, str) else json.dumps(value)
    return files


def _hashed(passwords: Mapping[str, str]) -> str:
    """Give ClickHouse's users with hashes of their passwords, to be merged into its own list."""
    users = "".join(
        f"<{user}><password_sha256_hex>{hashlib.sha256(password.encode()).hexdigest()}"
        f"</password_sha256_hex></{user}>"
        for user, password in zip(_USERS, passwords.values(), strict=True)
    )
    return f"<clickhouse><users>{users}</users></clickhouse>\n"


def _write(path: Path, text: str, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)
