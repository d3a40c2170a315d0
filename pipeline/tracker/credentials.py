"""What Faust needs to log in at Kafka: the same as every other client. Shell."""

from faust.auth import Credentials, OAuthCredentials, SASLCredentials, SSLCredentials

from pipeline.kafka.access import security
from pipeline.settings import Settings


def credentials(settings: Settings) -> Credentials | None:
    """Give Faust what `pipeline.kafka.access` gives aiokafka; BadSettings as there."""
    options = security(settings)
    tls = options.get("ssl_context")
    if tokens := options.get("sasl_oauth_token_provider"):
        return OAuthCredentials(oauth_cb=tokens, ssl_context=tls)
    if mechanism := options.get("sasl_mechanism"):
        return SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            mechanism=mechanism,
            ssl_context=tls,
        )
    return SSLCredentials(tls) if tls else None
