// The small shapes that everything is drawn with.

import { api } from "./address.js";
import { say } from "./words.js";

const WIDTH = 100;

/** The points of a line as an SVG path; what is null leaves a gap. */
export function path(values, height, low, high) {
  const room = high - low || 1;
  let text = "", pen = "M";
  values.forEach((value, place) => {
    if (value === null) { pen = "M"; return; }
    const x = values.length > 1 ? (WIDTH * place) / (values.length - 1) : WIDTH;
    text += `${pen}${x.toFixed(1)},${(height - (height * (value - low)) / room).toFixed(1)}`;
    pen = "L";
  });
  return text;
}

/** Lowest and highest of some values, with room so that a flat line stays in the middle. */
function bounds(values, least) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return [0, 1];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const lacking = Math.max(0, least - (high - low)) / 2;
  return [low - lacking, high + lacking];
}

export function Spark({ values, color = "var(--ink2)", band, height = 28, least = 0, redFrom }) {
  const all = band ? [...values, band.low, band.high] : values;
  const [low, high] = bounds(all, least);
  const pad = 0.1 * (high - low || 1);
  const line = (part) => path(part, height, low - pad, high + pad);
  const y = (value) => height - (height * (value - low + pad)) / (high - low + 2 * pad || 1);
  const last = values.length - 1;
  const isRed = redFrom !== undefined;
  const end = values[last] ?? null;
  return (
    <div class="sp">
      <svg viewBox={`0 0 ${WIDTH} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        {band && <rect x="0" width={WIDTH} y={y(band.high)} height={Math.max(1, y(band.low) - y(band.high))} fill="var(--band)" opacity=".75" />}
        <path class="ln" d={line(values)} stroke={color} />
        {isRed && <path class="ln red" d={line(values.map((value, place) => (place >= redFrom ? value : null)))} stroke="var(--alert)" />}
      </svg>
      {end !== null && <i style={{ top: `${(100 * y(end)) / height}%`, background: isRed ? "var(--alert)" : color }} />}
    </div>
  );
}

/** A line over its area, with that of before dashed; `high` is the scale that it shares. */
export function Area({ values, before, high, height = 44 }) {
  const line = path(values, height, 0, high);
  return (
    <div class="sp">
      <svg viewBox={`0 0 ${WIDTH} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        <path d={`${line}L${WIDTH},${height}L0,${height}Z`} fill="var(--ink2)" opacity=".14" />
        <path class="ln thin" d={path(before, height, 0, high)} stroke="var(--bandline)" stroke-dasharray="3 3" />
        <path class="ln" d={line} stroke="var(--ink2)" />
      </svg>
      <i style={{ top: `${100 - (100 * values.at(-1)) / (high || 1)}%`, background: "var(--ink2)" }} />
    </div>
  );
}

/** Each value as the mean of its neighbourhood, so that small numbers do not rattle. */
export const smooth = (values, reach = 2) =>
  values.map((_, place) => {
    const near = values.slice(Math.max(0, place - reach), place + reach + 1);
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });

export const Mini = ({ share, from = 0, faint, width }) => (
  <span class={width ? "mini narrow" : "mini"} aria-hidden="true">
    <i style={{ left: `${100 * from}%`, width: `${100 * share}%` }} class={faint ? "faint" : ""} />
  </span>
);

export const Phase = ({ phase }) =>
  phase ? <span class="pc" style={{ "--c": phase.color }}>{phase.label}</span> : <span class="q">{say("none")}</span>;

// What became of something: a filled dot, a ring, half of it, a cross.
export const DOT = <circle cx="5" cy="5" r="4" fill="var(--ink2)" />;
export const RING = <circle cx="5" cy="5" r="3.5" fill="none" stroke="var(--ink2)" stroke-width="1.5" />;
export const HALF = <>{RING}<path d="M5 1a4 4 0 010 8z" fill="var(--ink2)" /></>;
export const CROSS = <path d="M1.5 1.5l7 7m0-7l-7 7" stroke="var(--ink)" stroke-width="2" />;

export const Fate = ({ shape, children }) => <span class="fate"><svg width="10" height="10" aria-hidden="true">{shape}</svg>{children}</span>;

export const Chevron = () => (
  <svg width="8" height="8" viewBox="0 0 8 8" aria-hidden="true">
    <path d="M1 2.5l3 3 3-3" fill="none" stroke="currentColor" stroke-width="1.5" />
  </svg>
);

export const Csv = ({ of, more, title }) => (
  <a class="csv" href={api(`${of}.csv`, more)} download aria-label={say("csv_of", title)}>{say("csv")}</a>
);

/** A part of the page: its title, grey words after it, and its body in the state that it is in. */
export function Section(props) {
  const { id, title, about, csv, more, tools, rows = 4, children } = props;
  const panel = "panel" in props ? props.panel || {} : { rows: [] };
  return (
    <section aria-labelledby={id}>
      <div class="hd">
        <h2 id={id}>{title}</h2>
        {about !== undefined && <span class="q">{about}</span>}
        {tools}
        {csv && <Csv of={csv} more={more} title={title} />}
      </div>
      <Body panel={panel} rows={rows}>{children}</Body>
    </section>
  );
}

function Body({ panel, rows, children }) {
  return (
    <>
      {panel.error && <Failed panel={panel} />}
      {panel.rows ? children() : panel.error ? null : <Loading rows={rows} />}
    </>
  );
}

function Failed({ panel }) {
  const left = Math.max(0, Math.round(panel.retry - (Date.now() - panel.failed) / 1000));
  return <p class="failed" role="status">{say(panel.error === "slow" ? "panel_slow" : "panel_unavailable", left)}</p>;
}

/** Grey bars in the height of what will come; they wait a moment, so that they rarely show. */
export const Loading = ({ rows }) => (
  <div class="loading" role="status" aria-label={say("loading")}>
    {Array.from({ length: rows }, (_, n) => <div class={`sk w${n % 3}`} />)}
  </div>
);

/** Tabs that arrow keys walk through. */
export function Tabs({ label, tabs, now, choose, class: more = "" }) {
  const walk = (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const place = tabs.findIndex((tab) => tab.id === now);
    const next = tabs[(place + by + tabs.length) % tabs.length];
    choose(next.id);
    event.currentTarget.querySelector(`[data-tab="${next.id}"]`).focus();
    event.preventDefault();
  };
  return (
    <div class={`tabs ${more}`} role="tablist" aria-label={label} onKeyDown={walk}>
      {tabs.map((tab) => (
        <button role="tab" type="button" id={`tab-${tab.id}`} data-tab={tab.id} aria-selected={tab.id === now} aria-controls={tab.of} tabIndex={tab.id === now ? 0 : -1} onClick={() => choose(tab.id)}>
          {tab.label}
        </button>
      ))}
    </div>
  );
}
