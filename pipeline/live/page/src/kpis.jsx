// Key figures on three levels: the whole journey, its phases, one touchpoint.

import { useEffect } from "preact/hooks";
import { to, view } from "./address.js";
import { count, duration, money, percent, share, wilson } from "./numbers.js";
import { Section, smooth, Spark } from "./shapes.jsx";
import { language, named, say } from "./words.js";

const SHARES = ["conversion_rate", "cart_abandonment_rate", "session_conversion_rate", "csat", "repeat_purchase_rate"];
const ORDER = ["nps", "csat", "conversion_rate", "hours_to_purchase", "cycles_per_person"];
const MOST = 6;

/** "Net promoter score", or of a name with an abbreviation that alone. */
const short = (name) => /\((\w+)\)$/.exec(name)?.[1] || name;

const decimal = (n) => new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1, minimumFractionDigits: 1 }).format(n);

function value(row) {
  if (SHARES.includes(row.kpi)) {
    const part = Math.round((row.value * row.observations) / 100);
    const found = share(part, row.observations);
    return found.is === "share" ? percent(row.value / 100) : found.text;
  }
  if (row.kpi === "nps") return nps(row);
  if (row.unit === "s") return duration(row.value);
  if (row.unit === "h") return duration(3600 * row.value);
  if (row.unit === "money") return money(row.value, row.currency);
  return row.unit === "count" ? count(row.value) : decimal(row.value);
}

/** Promoters minus detractors; of few answers the range in which it lies, from the worst spread. */
function nps(row) {
  if (row.observations < 10) return say("few");
  const half = 100 * (wilson(row.observations / 2, row.observations)[1] - 0.5) * 2;
  const [low, high] = [Math.max(-100, row.value - half), Math.min(100, row.value + half)].map(Math.round);
  return row.observations >= 1000 ? count(row.value) : low < 0 ? `−${-low} – ${high < 0 ? "−" : ""}${Math.abs(high)}` : `${low}–${high}`;
}

function Figure({ name, under, title, text, href, color, line, words }) {
  return (
    <li>
      <span class={color ? "lp" : ""} style={color ? { "--c": color } : undefined}>
        {href ? <a href={href} title={title}>{name}</a> : <span title={title}>{name}</span>}<span class="t">{under}</span>
      </span>
      <span class={words ? "v words" : "v"}>{href ? <a href={href} aria-label={`${name}: ${text}`}>{text}</a> : text}</span>
      {line?.length > 1 && <Spark values={line} color={color || "var(--ink2)"} height={20} />}
    </li>
  );
}

function Kpi({ row, lines, phase }) {
  const line = lines?.find((each) => each.kpi === row.kpi && each.currency === row.currency)?.line;
  return <Figure name={short(row[language.now])} under={phase ? phase.label : row.observations === 1 ? say("made_of_one") : say("made_of", count(row.observations))} title={row.formula} text={value(row)} color={phase?.color} line={line} href={view({ view: "people", of: "kpi", what: row.kpi })} />;
}

function byPhase(rows, site) {
  return site.phases.flatMap((phase) =>
    rows.filter((row) => row.levels.includes(phase.id) && !row.levels.includes("journey")).slice(0, 2).map((row) => ({ row, phase })),
  ).slice(0, MOST);
}

function Touchpoint({ rows, said, go, fallback }) {
  const id = (row) => `${row.name}|${row.channel}`;
  const row = rows.find((each) => id(each) === said.touchpoint) || rows.find((each) => fallback.includes(each.name)) || rows[0];
  if (!row) return null;
  const sum = (line) => line.reduce((all, n) => all + n, 0);
  const exit = share(sum(row.exits), sum(row.times));
  const times = smooth(row.times, 3), exits = smooth(row.exits, 3).map((n, place) => n / (times[place] || 1));
  const href = view({ view: "people", of: "touchpoint", what: row.name, where: row.channel });
  const satisfied = row.answers < 10 ? say("few") : count(row.satisfaction);
  return (
    <div>
      <h3><label class="pick">{say("one_touchpoint")}: <select aria-label={say("choose_touchpoint")} value={id(row)} onChange={(event) => go(to({ touchpoint: event.target.value }), { replace: true })}>
        {rows.map((each) => <option value={id(each)}>{each.name}, {named(each.channel)}</option>)}
      </select></label></h3>
      <ul>
        <Figure name={say("volume")} under={say("volume_t")} text={count(row.volume)} line={times} href={href} />
        <Figure name={say("exit_rate")} under={say("exit_t")} text={exit.text} line={exits} href={href} />
        <Figure name={say("waiting")} under={say("waiting_t")} text={row.median_waiting_seconds === null ? "–" : duration(row.median_waiting_seconds)} href={href} />
        <Figure name={say("satisfaction")} under={say("answers", count(row.answers))} text={row.answers ? satisfied : "–"} href={href} />
        <Figure name={say("complaints_next")} under={say("volume_t")} text={count(row.complaints)} href={href} />
        <Figure name={say("next_touchpoint")} under={say("most_frequent")} words text={row.next_touchpoint ? named(row.next_touchpoint) : "–"} />
      </ul>
    </div>
  );
}

/** Calls `reach` once the element with that id is on the screen, or nearly. */
function useReached(id, reach) {
  useEffect(() => {
    const watch = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && reach(true), { rootMargin: "400px" });
    watch.observe(document.getElementById(id));
    return () => watch.disconnect();
  }, []);
}

/** They are dear to compute, and asked only once somebody comes to see them. */
export function KeyFigures({ panels, site, said, go, reach }) {
  const { kpis, kpi_lines: lines, touchpoints } = panels;
  useReached("h-k", reach);
  const title = say("key_figures");
  return (
    <Section id="h-k" title={title} about={say("kpi_q")} panel={kpis} csv="kpis" rows={6}>
      {() => {
        const whole = kpis.rows.filter((row) => row.levels.includes("journey")).sort((a, b) => ORDER.indexOf(a.kpi) - ORDER.indexOf(b.kpi)).slice(0, MOST);
        const phases = byPhase(kpis.rows, site);
        if (!kpis.rows.length) return <p class="s">{say("no_kpis")}</p>;
        return (
          <div class="kp">
            <div><h3>{say("whole_journey")}</h3><ul>{whole.map((row) => <Kpi key={row.kpi + row.currency} row={row} lines={lines?.rows} />)}</ul></div>
            <div><h3>{say("by_phase")}</h3><ul>{phases.map(({ row, phase }) => <Kpi key={row.kpi + row.currency + phase.id} row={row} phase={phase} lines={lines?.rows} />)}</ul></div>
            {touchpoints?.rows?.length ? <Touchpoint rows={touchpoints.rows} said={said} go={go} fallback={["Checkout Step Viewed", "Checkout Started"]} /> : null}
          </div>
        );
      }}
    </Section>
  );
}
