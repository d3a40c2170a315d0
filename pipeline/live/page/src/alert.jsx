// The strip on top: what is unusual, since when, how sure, whom and what it costs.

import { useState } from "preact/hooks";
import { view } from "./address.js";
import { clock, count, dated, duration, money, sameDay, several, share } from "./numbers.js";
import { named, say } from "./words.js";

const change = (alert) => {
  const by = `${Math.round(100 * Math.abs(alert.change))} %`;
  return say(alert.change < 0 ? "down" : "up", by);
};

function Title({ alert }) {
  const kind = { abandonment: `kind_${alert.step}` }[alert.kind];
  const name = kind ? say(kind) : named(alert.step);
  if (alert.kind === "silence") return <>{say("a_silence", name)}</>;
  const [before, after] = alert.next_step
    ? say("is_down", name, named(alert.next_step), "\0").split("\0")
    : say("is_changed", name, "\0").split("\0");
  return <>{before}<em>{change(alert)}</em>{after}</>;
}

const Fact = ({ name, value, more, wide }) => (
  <div class={wide ? "wide" : ""}><dt>{name}</dt><dd>{value}</dd><dd>{more}</dd></div>
);

const people = (alert) =>
  alert.next_step ? { of: "step", what: alert.step, where: "lost" }
  : alert.kind === "abandonment" ? { of: "left", what: alert.step }
  : { of: "step", what: alert.step };

function Firing({ alert, now, more, hide }) {
  const chance = 1 - alert.certainty;
  const others = alert.slices.filter((slice) => slice && slice !== alert.value).slice(0, 1);
  return (
    <div class="alert" role="alert" id="alert">
      <div>
        <h2><Title alert={alert} /></h2>
        <p class="s">{say("observed_of", count(alert.observed), count(alert.expected))}{more.length > 0 && ` · ${say("more_alerts", more.length, more.map((each) => named(each.step)).join(", "))}`}</p>
      </div>
      <dl>
        <Fact name={say("since")} value={sameDay(alert.since, now) ? clock(alert.since) : dated(alert.since)} more={say("noticed", duration((now - Date.parse(alert.since)) / 1000), clock(alert.opened_at))} />
        <Fact name={say("how_sure")} value={say("one_in", chance > 1e-6 ? count(1 / chance) : `${count(1e6)}+`)} more={say("by_chance")} />
        <Fact name={say("people")} value={say("about", count(alert.people))} more={say("missing_or_hit")} />
        <Fact name={say("money")} value={alert.money ? money(alert.money, alert.currency) : "–"} more={say("usually_bring")} />
        <Fact wide name={say("slice")} value={alert.value ? named(alert.value) : say("everywhere")} more={others.length ? say("others", named(others[0])) : say("no_slice")} />
      </dl>
      <div class="acts">
        <a class="btn p chip" href={view({ view: "people", ...people(alert), from: alert.since, to: new Date(now).toISOString(), span: "" })}>{say("see_people")}</a>
        <button class="btn" type="button" onClick={hide}>{say("hide")}</button>
      </div>
    </div>
  );
}

/** Say how the funnel stands without an alert: a step may be low for some minutes before one comes. */
function standing(usual, funnel) {
  const known = usual.filter((each) => each.usual);
  if (!known.length) return say("unknown_yet");
  const low = known.find((each) => {
    const step = funnel?.find((one) => one.step === each.step);
    const now = step && share(step.gone_on, step.people);
    return now && (now.high ?? now.value) < each.usual.low;
  });
  return low ? say("below_usual", named(low.step)) : say("fine");
}

function Calm({ over, usual, funnel }) {
  const last = over[0];
  if (!last) return <p class="calm" id="alert">{usual && <><b>{standing(usual, funnel)}</b>, {say("no_alert")}.</>}</p>;
  const name = last.next_step ? `${named(last.step)} → ${named(last.next_step)}` : named(last.step);
  const loss = say("cost", clock(last.since), clock(last.resolved_at), several("people", last.people), last.money ? money(last.money, last.currency) : "–");
  return <p class="calm" id="alert"><b>{say("is_back", name)}</b> <span class="q">{say("resolved")}: {loss}</span></p>;
}

/** Without `usual` rows nothing can stand out yet. */
export function Alerts({ panel, usual, funnel, now }) {
  const [hidden, hide] = useState([]);
  const alerts = panel?.rows || [];
  const firing = alerts.filter((alert) => alert.state === "firing" && !hidden.includes(alert.alert_id));
  if (!panel?.rows) return <p class="calm" id="alert"> </p>;
  if (!firing.length) return <Calm usual={usual} funnel={funnel} over={alerts.filter((alert) => alert.state !== "firing")} />;
  const [first, ...more] = firing;
  return <Firing alert={first} now={now} more={more} hide={() => hide([...hidden, first.alert_id])} />;
}
