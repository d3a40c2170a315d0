"""All settings: a file for each part. `settings.py` puts them together."""

from pipeline.settings.environment import environment_of
from pipeline.settings.kinds import BadSettings, WebhookEndpoint
from pipeline.settings.settings import Settings

__all__ = ["BadSettings", "Settings", "WebhookEndpoint", "environment_of"]
