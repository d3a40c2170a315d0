"""Settings of the outgoing webhook."""

from datetime import timedelta

from pydantic import BaseModel, Field

from pipeline.settings.kinds import Duration, EndpointName, WebhookEndpoint


class OutgoingSettings(BaseModel):
    """Where transitions and abandonments are posted to."""

    webhook_endpoints: dict[EndpointName, WebhookEndpoint] = Field(
        default_factory=dict,
        description="Name -> endpoint to which transitions and abandonments are posted; see "
        "docs/webhooks.md.",
    )
    webhook_group: str = Field(
        "touchstream-webhook",
        description="Prefix of the consumer groups; the endpoint's name follows.",
    )
    webhook_attempts: int = Field(
        10, ge=1, description="After this many attempts, a message becomes a dead letter."
    )
    webhook_timeout: Duration = Field(
        timedelta(seconds=10), description="How long an endpoint may take to answer."
    )
    webhook_metrics_port: int = Field(9104, ge=0, le=65535, description="0: no metrics.")
