"""The eight dashboards: which panels they have, from first to last."""

from dataclasses import dataclass

from tests.support.grafana.panels import Ask, Watch
from tests.support.grafana.shares import FEW, between, limits, share

Panels = tuple[Ask | Watch, ...]

_LABEL = "if(${lang:singlequote} = 'de', de, en)"
_PHASES = f"{_LABEL} AS phase, people, came, went_on, {share('conversion', 'went_on', 'came')}"
_IS_POINT = f"unit != '%' OR observations >= {FEW}"
_OBSERVED = between("value * observations / 100", "observations")
_KPIS = (
    f'levels, {_LABEL} AS "KPI", currency, if({_IS_POINT}, value, NULL) AS "figure", unit,'
    f" if({_IS_POINT}, '', {_OBSERVED}) AS \"of few\", observations, people, formula"
)
_LOW, _HIGH = limits("value * observations / 100", "observations")
_SHARE_LINE = (
    f'time, if(observations < {FEW}, NULL, value) AS "share",'
    f' 100 * {_LOW} AS "at least", 100 * {_HIGH} AS "at most"'
)
_MAP = f"{_LABEL} AS phase, if(channel = '', 'all', channel) AS \"channel\", people, went_on,"
_PEOPLE = (("Who are these people?", "touchstream-people"),)
_VISITS = (
    "value, visits, before, people, bounces, with_cart, with_checkout, with_order, amount, net"
)


_KPI_LINES = {
    "customer_lifetime_value": "time, currency, value",
    "csat": _SHARE_LINE,
    "repeat_purchase_rate": _SHARE_LINE,
}
_COHORT = "round(100 * people / share)"


@dataclass(frozen=True)
class Board:
    """A dashboard; `uid` is its address."""

    uid: str
    title: str
    panels: Panels


OVERVIEW: Panels = (
    Ask(question="people_by_phase", columns=_PHASES, links=_PEOPLE),
    Ask(question="phases_over_time", kind="timeseries", columns="time, phase, people"),
    Ask(
        question="people_by_phase",
        title="Do people stay in a phase for longer than the standard allows?",
        columns=f"{_LABEL} AS phase, median_seconds, max_seconds",
        unit="s",
    ),
    Ask(question="breaches_over_time", kind="timeseries"),
    Ask(
        question="journey_map",
        columns=f"{_MAP} {share('conversion', 'went_on', 'people')}, "
        "median_seconds, pain_points, satisfaction",
        width=24,
        height=11,
    ),
    Ask(question="kpis", columns=_KPIS, width=24, height=12),
)

FUNNEL: Panels = (
    Ask(question="funnel_steps", kind="barchart", columns="step, reach, closed", links=_PEOPLE),
    Ask(
        question="conversion_over_time",
        kind="timeseries",
        columns="time, way, conversion",
        unit="percentunit",
    ),
    Ask(
        question="conversion_over_time",
        title="In which range does a share of few visits lie?",
        columns="time, way, entries, gone_on, low, high",
        where="entries < 30",
        unit="percentunit",
    ),
    Watch(
        title="Is that usual for this hour?",
        description="Of every question of the watch: what was counted in the last two hours "
        "against the usual at this time of the week. 100 % is as usual.",
        expressions={
            "{{kind}}: {{step}}": 'touchstream_watch_level{job="watch", site="$site"}',
        },
        unit="percentunit",
    ),
    Ask(question="abandonments_by_kind", width=24, links=_PEOPLE),
    Ask(
        question="abandonments_over_time",
        kind="timeseries",
        columns="time, kind_and_currency, at_stake",
    ),
    Ask(question="abandoned_places"),
    Ask(question="recoveries"),
    Ask(question="troubles_over_time", kind="timeseries"),
)

TRAFFIC: Panels = (
    Ask(
        question="visits_over_time",
        kind="timeseries",
        columns="time, value, visits",
        given={"by": "group"},
        width=24,
    ),
    *(
        Ask(question="visits_by", title=title, columns=_VISITS, given={"by": by})
        for by, title in {
            "source": "Who brings the visits, and what do they bring?",
            "campaign": "Which campaign brings visits and orders?",
            "device": "Which device converts?",
            "channel": "Which channel converts?",
            "country": "Where do visits come from?",
            "entry": "Where do visits come in?",
        }.items()
    ),
    Ask(question="pages"),
    Ask(question="visit_sources", columns="* EXCEPT (session_id)"),
    Ask(question="orders_by_currency"),
    Ask(question="orders_over_time", kind="timeseries", columns="time, currency, amount"),
)

NEWSLETTER: Panels = (
    Ask(question="mailings", width=24, height=12),
    Ask(question="mails_over_time", kind="timeseries", width=24),
    Ask(
        question="kpi_by",
        title="Which campaign brings direct visits back?",
        given={"kpi": "session_conversion_rate", "by": "campaign"},
        width=24,
    ),
)

WEAK_POINTS: Panels = (
    *(
        Ask(
            question="weak_points",
            title=title,
            columns="* EXCEPT (model, kind)",
            where=f"kind = '{kind}'",
            width=24,
            links=_PEOPLE,
        )
        for kind, title in {
            "phase": "Which phase is the weakest?",
            "step": "At which step do people give up, ask for help or complain?",
            "page": "On which page do people give up, ask for help or complain?",
        }.items()
    ),
    Ask(question="breaches"),
    Ask(question="breaches_over_time", kind="timeseries"),
    Ask(question="troubles_over_time", kind="timeseries"),
    Ask(question="staff_feedback"),
    Ask(question="touchpoint_kpis", width=24, height=12),
)

CHANNELS: Panels = (
    Ask(question="channel_changes"),
    Ask(question="channel_paths", columns="arrayStringConcat(path, ' → ') AS way, * EXCEPT (path)"),
    Ask(
        question="attribution_credits",
        columns="model, value, currency, conversions, amount",
        given={"by": "group"},
    ),
    Ask(
        question="touch_paths",
        columns="arrayStringConcat(path, ' → ') AS way, is_converted, people",
        given={"by": "group"},
    ),
    Ask(question="inventory_of", width=24, height=12),
)

PEOPLE: Panels = (
    Ask(
        question="people_found",
        width=24,
        links=(("What did they come by?", "touchstream-traffic"),),
    ),
    Ask(
        question="cohorts",
        columns=f"* EXCEPT (share), {share('share', 'people', _COHORT)}",
    ),
    Ask(
        question="repeat_purchases",
        columns=f"* EXCEPT (share), {share('share', 'people', _COHORT)}",
    ),
    *(
        Ask(
            question="kpi_over_time",
            title=title,
            kind="timeseries",
            columns=_KPI_LINES.get(kpi, "time, value"),
            given={"kpi": kpi},
        )
        for kpi, title in {
            "nps": "Would people recommend us (NPS)?",
            "csat": "Are people satisfied (CSAT)?",
            "repeat_purchase_rate": "How many customers come back to buy?",
            "customer_lifetime_value": "What is a customer worth?",
            "returning_visitors": "How many people return?",
        }.items()
    ),
    Ask(question="timeline", width=24, height=12),
)

_SECONDS = "histogram_quantile(0.99, sum by (le) (rate({}_bucket[5m])))"

PIPELINE: Panels = (
    Ask(question="freshness", width=24, height=5),
    Watch(
        title="How much comes in, and what is refused at the door?",
        description="Touchpoints accepted and refused by the collector.",
        expressions={
            "accepted": "sum(rate(touchstream_collector_accepted_total[5m]))",
            "{{reason}}": "sum by (reason) (rate(touchstream_collector_refused_total[5m]))",
        },
    ),
    Ask(question="refused_over_time", kind="timeseries"),
    Watch(
        title="How far behind are tracker and sink?",
        description="Records that wait in Kafka.",
        expressions={
            "tracker": "sum(touchstream_tracker_lag)",
            "sink": "sum(touchstream_sink_lag)",
        },
    ),
    Watch(
        title="How long does a step take?",
        description="99 of 100 are faster.",
        expressions={
            "to Kafka": _SECONDS.format("touchstream_collector_send_seconds"),
            "insert": _SECONDS.format("touchstream_sink_insert_seconds"),
        },
        unit="s",
    ),
    Watch(
        title="Which step keeps the tracker busy?",
        description="Seconds of processor time in each second.",
        expressions={
            "{{step}}": "sum by (step) (rate(touchstream_tracker_step_seconds_total[5m]))"
        },
        unit="s",
    ),
    Watch(
        title="How much does the tracker remember?",
        description="Visitors in its memory.",
        expressions={"visitors": "sum(touchstream_tracker_visitors)"},
    ),
    Watch(
        title="What fails and is tried again?",
        description="Repeated attempts, and what was buried in the end.",
        expressions={
            "tracker": "sum(rate(touchstream_tracker_retries_total[5m]))",
            "sink": "sum(rate(touchstream_sink_retries_total[5m]))",
            "webhook": "sum(rate(touchstream_webhook_retries_total[5m]))",
            "watch": "sum(rate(touchstream_watch_failures_total[5m]))",
        },
    ),
    Watch(
        title="Is the watch awake?",
        description="Seconds since it last looked.",
        expressions={
            "seconds": "time() - touchstream_watch_last_success_timestamp_seconds",
        },
        unit="s",
    ),
)

BOARDS = (
    Board("touchstream-overview", "Journey overview", OVERVIEW),
    Board("touchstream-funnel-and-abandonment", "Funnel and abandonment", FUNNEL),
    Board("touchstream-traffic", "Traffic and campaigns", TRAFFIC),
    Board("touchstream-newsletter", "Newsletter", NEWSLETTER),
    Board("touchstream-weak-points", "Weak points and standards", WEAK_POINTS),
    Board("touchstream-channels", "Channels, paths and attribution", CHANNELS),
    Board("touchstream-people", "People and loyalty", PEOPLE),
    Board("touchstream-pipeline", "Pipeline health", PIPELINE),
)
