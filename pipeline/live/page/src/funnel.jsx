// Where we lose them: each bar is 100 % of the people at that step.

import { useRef } from "preact/hooks";
import { spanOf, view } from "./address.js";
import { clock, count, money, range, several, share, span, weekday, when } from "./numbers.js";
import { Section, Spark } from "./shapes.jsx";
import { capital, named, say } from "./words.js";

const FEWEST_IN_LINE = 5, ROOM_FOR_WORDS = 0.18, ROOM_FOR_DIGITS = 6;

const who = (step, where = "") => view({ view: "people", of: "step", what: step, where });

const alertOf = (alerts, step) =>
  alerts.find((alert) => alert.state === "firing" && alert.kind === "conversion" && alert.step === step);

const rates = (line) => line.map(([of, part]) => (of >= FEWEST_IN_LINE ? part / of : null));

/** The line of a step, which is asked now and then; its last point is that of the number beside it. */
function lineOf(lines, step) {
  const line = lines?.rows?.find((each) => each.step === step.step)?.line || [];
  return [...line.slice(0, -1), [step.people, step.gone_on]];
}

function Bar({ now, usual, before, alert }) {
  const at = `${100 * (now.value ?? 0)}%`;
  const middle = usual && (usual.low + usual.high) / 2;
  const lacking = alert && usual && now.value < usual.low ? Math.round((middle - now.value) * now.of) : 0;
  const words = say("missing", count(lacking)), isWide = lacking && usual.low - now.value > ROOM_FOR_WORDS;
  let label = now.is === "few" ? now.text : say("bar", now.text.replace(" %", ""));
  if (usual) label += say("bar_usual", Math.round(100 * usual.low), Math.round(100 * usual.high));
  if (lacking) label += say("bar_missing", lacking);
  return (
    <div class="tr" role="img" aria-label={label}>
      {now.is !== "few" && <span class={now.is === "range" ? "f faint" : "f"} style={{ width: at }} />}
      {now.is === "range" && <span class="rg" style={{ left: `${100 * now.low}%`, width: `${100 * (now.high - now.low)}%` }} />}
      {lacking > 0 && <span class="g" style={{ left: at, width: `${100 * (usual.low - now.value)}%` }}>{isWide && words}</span>}
      {lacking > 0 && !isWide && <span class="g out" style={{ left: `calc(${100 * usual.high}% + 6px)` }}>{words}</span>}
      {now.is !== "few" && <span class="nd" style={{ left: at }} />}
      {usual && <span class="u" style={{ left: `${100 * usual.low}%`, width: `${Math.max(0.6, 100 * (usual.high - usual.low))}%` }} />}
      {!usual && before !== null && <span class="bf" style={{ left: `${100 * before}%` }} />}
    </div>
  );
}

/** How many people are at a step; many digits are a little smaller, so that they keep off the bar. */
function People({ step }) {
  const text = count(step.people);
  return <a class={text.length > ROOM_FOR_DIGITS ? "big long" : "big"} href={who(step.step)}>{text}</a>;
}

function Row({ step, line, phase, usual, alert, redFrom }) {
  const now = { ...share(step.gone_on, step.people), of: step.people };
  const before = step.before >= 10 ? step.before_gone_on / step.before : null;
  return (
    <li class="fr" style={{ "--c": phase.color }}>
      <a class="nm" href={who(step.step)}>{named(step.step)}<span>{phase.label}</span></a>
      <People step={step} />
      <Bar now={now} usual={usual} before={before} alert={alert} />
      <a class={`pct${now.is === "share" ? "" : " few"}${alert ? " bad" : ""}`} href={who(step.step, "lost")} title={say("lost_here", count(step.people - step.gone_on))}>{alert && "▼ "}{now.text}</a>
      <span class="num s us">{usual ? <><span class="us-l">{say("usual")} </span>{range(usual.low, usual.high)}</> : before !== null ? say("before", `${Math.round(100 * before)} %`) : "–"}</span>
      <Spark values={rates(line)} color={phase.color} band={usual} least={0.2} redFrom={redFrom} />
    </li>
  );
}

function Last({ step, line, phase, orders, usual, beforeName }) {
  const kept = orders?.rows?.[0];
  const often = usual?.rows?.find((each) => each.currency === kept?.currency);
  return (
    <li class="fr" style={{ "--c": phase.color }}>
      <a class="nm" href={who(step.step)}>{named(step.step)}<span>{phase.label}</span></a>
      <People step={step} />
      <div class="txt s">
        {kept && kept.orders ? <><a class="sum-of" href={view({ view: "people", of: "orders", currency: kept.currency })}>{money(kept.net, kept.currency)}</a>{say("taken", several("people", kept.people), several("orders", kept.orders))}</> : orders?.rows && say("nothing_taken")}
        {often?.orders ? say("usual_orders", span(often.orders.low, often.orders.high), `${span(often.net.low, often.net.high)} ${money(0, kept.currency).slice(2)}`)
          : kept ? say("orders_before", capital(beforeName), several("orders", kept.orders_before), money(kept.net_before, kept.currency)) : ""}
      </div>
      <Spark values={line.map(([people]) => people)} least={4} />
    </li>
  );
}

/** How the order came about: "31, was 29 until 15:02", where a past span is corrected by late data. */
function useCorrection(rows, isLive, at) {
  const known = useRef(null);
  const people = rows?.at(-1)?.people;
  if (isLive || people === undefined) { known.current = null; return null; }
  if (known.current === null) known.current = { people, until: null, was: null };
  if (known.current.people !== people) known.current = { people, was: known.current.people, until: at };
  return known.current.was === null ? null : known.current;
}

export function Funnel({ panels, site, said, now }) {
  const { funnel, funnel_lines: lines, usual_funnel: often, orders, usual_orders: usual, alerts } = panels;
  const { length, end, isLive } = spanOf(said, now);
  const correction = useCorrection(funnel?.rows, isLive, now);
  const phases = site.steps;
  const last = said.from ? `${when(said.from, length)}–${when(said.to, length)}` : say(`last_${said.span || "1h"}`);
  const hours = often?.rows?.find((each) => each.usual)?.usual.hours;
  const beforeName = say((said.span || "1h") === "1h" && !said.from ? "before_1h" : "before_span");
  const lineStart = end - 3 * length;
  const title = say("where_lost");
  return (
    <Section id="h-f" title={title} about={say("funnel_q", last)} panel={funnel} csv="funnel" rows={9}>
      {() => (
        <>
          <div class="fr h" aria-hidden="true">
            <span>{say("step")}</span><span class="num">{say("people")}</span>
            <span class="ax"><span>0 %</span><span>25</span><span>50</span><span>75</span><span>100 %</span></span>
            <span class="num">{say("go_on")}</span><span class="num">{say("usual_now")}</span>
            <span>{when(lineStart, 3 * length)} – {when(end, 3 * length)}</span>
          </div>
          <ol>
            {funnel.rows.map((step, place) => {
              const phase = phases[step.step] || { color: "var(--ink2)", label: "" };
              const line = lineOf(lines, step);
              if (place === funnel.rows.length - 1) return <Last key={step.step} {...{ step, line, phase, orders, usual, beforeName }} />;
              const alert = alertOf(alerts?.rows || [], step.step);
              const from = alert && Math.max(0, Math.floor((35 * (Date.parse(alert.since) - lineStart)) / (3 * length)));
              const band = often?.rows?.find((each) => each.step === step.step)?.usual;
              return <Row key={step.step} {...{ step, line, phase, alert }} usual={band} redFrom={from === undefined ? undefined : Math.min(34, from)} />;
            })}
          </ol>
          {correction && <p class="foot"><b>{count(correction.people)}</b> {say("was", count(correction.was), clock(correction.until))}</p>}
          <p class="foot">
            {hours
              ? <><svg class="key-box" width="22" height="12" aria-hidden="true"><rect x=".75" y=".75" width="20.5" height="10.5" rx="2" fill="var(--band)" stroke="var(--bandline)" stroke-width="1.5" /></svg>{say("usual_foot", length <= 86400e3 ? `${weekday(end)}, ${clock(end)}` : last, hours)}</>
              : say("young_foot", beforeName)}
          </p>
        </>
      )}
    </Section>
  );
}
