"""The clients that are run, and how each is: of which family, package and version."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

HERE = Path(__file__).parent
Where = Literal["browser", "node", "python", "go", "java", "ruby", "rust"]


@dataclass(frozen=True)
class Client:
    """A client: `script` uses it, `package` is what it is installed as.

    `is_timed` if it says when an event happened: then the order must survive.
    """

    family: str
    where: Where
    script: str
    package: str
    version: str
    is_timed: bool = True
    also: tuple[str, ...] = ()
    """What it needs beside it, where its own package does not say so."""

    @property
    def title(self) -> str:
        return f"{self.package} {self.version}"

    @property
    def is_secure(self) -> bool:
        """Whether it insists on https."""
        return self.script == "Amplitude"

    def is_called(self, text: str) -> bool:
        """Say whether `text` is in its family, name, version or where it runs."""
        return text in f"{self.family} {self.title}, {self.where}"


_NPM: tuple[tuple[str, Where, str, tuple[str, ...]], ...] = (
    ("Segment", "browser", "segment", ("segment-browser-new", "segment-browser-old")),
    ("Segment", "browser", "segment", ("segment-browser-older",)),
    ("Segment", "node", "segment", ("segment-node-3", "segment-node-2", "segment-node-1")),
    (
        "Segment",
        "node",
        "segment_legacy",
        ("segment-legacy-6", "segment-legacy-5", "segment-legacy-4"),
    ),
    ("RudderStack", "browser", "rudderstack", ("rudderstack-browser-3",)),
    ("RudderStack", "browser", "rudderstack_2", ("rudderstack-browser-2", "rudderstack-browser-1")),
    ("RudderStack", "node", "rudderstack", ("rudderstack-node-3", "rudderstack-node-2")),
    ("RudderStack", "node", "rudderstack_1", ("rudderstack-node-1",)),
    ("Customer.io", "browser", "customerio", ("customerio-browser",)),
    ("Customer.io", "node", "customerio", ("customerio-node",)),
    ("Jitsu", "browser", "jitsu", ("jitsu-new", "jitsu-old")),
    ("Jitsu", "node", "jitsu", ("jitsu-new",)),
    ("Snowplow", "browser", "snowplow", ("snowplow-browser-4", "snowplow-browser-3")),
    ("Snowplow", "node", "snowplow", ("snowplow-node-4", "snowplow-node-3")),
    ("PostHog", "browser", "posthog", ("posthog-browser-new", "posthog-browser-old")),
    ("PostHog", "browser", "posthog", ("posthog-browser-older",)),
    ("PostHog", "node", "posthog", ("posthog-node-5", "posthog-node-4", "posthog-node-3")),
    ("Plausible", "browser", "plausible", ("plausible-new",)),
    ("Plausible", "browser", "plausible_old", ("plausible-old",)),
    ("Umami", "node", "umami", ("umami-node",)),
    ("Matomo", "node", "matomo", ("matomo-node",)),
    ("Mixpanel", "browser", "mixpanel", ("mixpanel-browser-new", "mixpanel-browser-old")),
    ("Mixpanel", "node", "mixpanel", ("mixpanel-node", "mixpanel-node-old")),
    (
        "Amplitude",
        "browser",
        "amplitude",
        ("amplitude-browser-2", "amplitude-browser-1", "amplitude-browser-0"),
    ),
    ("Amplitude", "node", "amplitude", ("amplitude-node-1", "amplitude-node-0")),
    (
        "Amplitude",
        "browser",
        "amplitude_js",
        ("amplitude-legacy", "amplitude-legacy-7", "amplitude-legacy-6"),
    ),
    ("Amplitude", "node", "amplitude_old", ("amplitude-node-legacy",)),
    ("Hightouch", "browser", "hightouch", ("hightouch-browser",)),
    ("PostHog", "browser", "posthog_lite", ("posthog-lite", "posthog-lite-3")),
    ("Plausible", "browser", "plausible_fork", ("plausible-fork",)),
    ("June", "browser", "june", ("june-browser",)),
    ("Jitsu", "browser", "jitsu_2", ("jitsu-2", "jitsu-2-older")),
    ("Jitsu", "node", "jitsu_2", ("jitsu-2", "jitsu-2-older")),
    ("RudderStack", "node", "rudderstack_expo", ("rudderstack-expo",)),
    ("Google Analytics 4", "browser", "ga4_minimal", ("ga4-minimal",)),
    ("Google Analytics 4", "browser", "ga4mp", ("ga4mp-js",)),
    ("Plausible", "browser", "plausible_client", ("plausible-client",)),
    ("Matomo", "browser", "matomo_native", ("matomo-native",)),
    ("Amplitude", "node", "amplitude_6", ("amplitude-6",)),
    ("Amplitude", "browser", "amplitude_unified", ("amplitude-unified",)),
    ("Amplitude", "browser", "amplitude", ("amplitude-marketing",)),
    ("RudderStack", "node", "rudderstack_worker", ("rudderstack-worker",)),
    ("Snowplow", "node", "snowplow_old", ("snowplow-old",)),
    ("Matomo", "node", "piwik", ("piwik-node",)),
    ("OpenPanel", "browser", "openpanel", ("openpanel-browser",)),
    ("OpenPanel", "node", "openpanel", ("openpanel-node",)),
)
_PYPI = {
    "segment-analytics-python": ("Segment", "segment"),
    "rudder-sdk-python": ("RudderStack", "rudderstack"),
    "customerio-cdp-analytics": ("Customer.io", "customerio"),
    "snowplow-tracker": ("Snowplow", "snowplow"),
    "posthog": ("PostHog", "posthog"),
    "mixpanel": ("Mixpanel", "mixpanel"),
    "amplitude-analytics": ("Amplitude", "amplitude"),
    "analytics-python": ("Segment", "segment_1"),
    "june-analytics-python": ("June", "june"),
    "events-sdk-python": ("Hightouch", "hightouch"),
    "mixpanel-py-async": ("Mixpanel", "mixpanel_async"),
    "umami-analytics": ("Umami", "umami"),
    "openpanel": ("OpenPanel", "openpanel"),
    "ga4mp": ("Google Analytics 4", "ga4mp"),
    "matomopy": ("Matomo", "matomopy"),
    "posthoganalytics": ("PostHog", "posthoganalytics"),
    "aio-snowplow-tracker": ("Snowplow", "snowplow_aio"),
    "aiomixpanel": ("Mixpanel", "aiomixpanel"),
    "amplitude-python-sdk": ("Amplitude", "amplitude_sdk"),
    "umami-analytics-py": ("Umami", "umami"),
    "matomo": ("Matomo", "matomo"),
    "posthog-async": ("PostHog", "posthog_5"),
    "altissimo-mixpanel": ("Mixpanel", "mixpanel_altissimo"),
}
_OTHER_SCRIPTS = {
    "rudder-sdk-python==1.0.6": "rudderstack_1",
    "posthog==5.4.0": "posthog_5",
    "snowplow-tracker==0.15.0": "snowplow_0",
}
_WITHOUT_TIME = (
    *("plausible", "plausible_old", "plausible_fork", "plausible_client", "umami", "openpanel"),
    *(
        "matomo",
        "piwik",
        "matomopy",
        "matomo_native",
        "ga4mp",
        "ga4_minimal",
        "amplitude_6",
        "amplitude_old",
    ),
)

BEACON = Client("Touchstream", "browser", "beacon", "beacon.js", "of this version")


def clients() -> Iterator[Client]:
    """Name all clients, by family."""
    yield BEACON
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
    for family, where, script, aliases in _NPM:
        for alias in aliases:
            version = wanted[alias].rpartition("@")[2]
            yield Client(family, where, script, alias, version, script not in _WITHOUT_TIME)
    for line in (HERE / "python.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            wanted, *also = line.split()
            name, version = wanted.split("==")
            family, script = _PYPI[name]
            script = _OTHER_SCRIPTS.get(wanted, script)
            is_timed = script not in _WITHOUT_TIME
            yield Client(family, "python", script, name, version, is_timed, tuple(also))
    yield from _others()


def _others() -> Iterator[Client]:
    for line in (HERE / "others.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            language, family, script, package, version, *also = line.split()
            is_timed = script.lower() not in _WITHOUT_TIME
            where = cast("Where", language)
            yield Client(family, where, script, package, version, is_timed, tuple(also))


def official_name(client: Client) -> str:
    """Give the name by which its registry knows the package."""
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
    told = wanted.get(client.package)
    return told.removeprefix("npm:").rpartition("@")[0] if told else client.package
