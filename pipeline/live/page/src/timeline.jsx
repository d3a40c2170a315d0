// A person across channels: bands are phases, boxes are sessions, dots are touchpoints.

import { detail } from "./feed.jsx";
import { clock, day, duration, money, pseudonym, sameDay } from "./numbers.js";
import { named, say } from "./words.js";

const LEFT = 104, RIGHT = 1388, TOP = 30, ROW = 52, FIRST_ROW = 71, GAP = 54, QUIET_SECONDS = 4 * 3600, MOST_STRETCHES = 6;
const CHANNELS = ["newsletter", "email", "website", "shop"];
const PAIN = ["Script Error", "Payment Failed", "Complaint Made", "Page Slow"];
const SHORT = {
  en: { "Product Added": "cart", "Checkout Started": "checkout", "Email Opened": "opened", "Email Link Clicked": "clicked", "Email Delivered": "mail", "Product List Viewed": "list", "Products Searched": "search", "Order Picked Up": "picked up", "Order Delivered": "delivered", "Order Shipped": "shipped", "Support Contacted": "asked", "Complaint Made": "complaint", "Survey Answered": "survey", "Script Error": "script error", "Payment Failed": "payment failed", "Page Slow": "slow page", "Product Reviewed": "review", "Recommendation Made": "recommended", "Form Left": "form left", Unsubscribed: "left list", "Ad Clicked": "ad", Identified: "log-in" },
  de: { "Product Added": "Korb", "Checkout Started": "Kasse", "Email Opened": "geöffnet", "Email Link Clicked": "geklickt", "Email Delivered": "Mail", "Product List Viewed": "Liste", "Products Searched": "Suche", "Order Picked Up": "abgeholt", "Order Delivered": "geliefert", "Order Shipped": "versandt", "Support Contacted": "gefragt", "Complaint Made": "Beschwerde", "Survey Answered": "Umfrage", "Script Error": "Skriptfehler", "Payment Failed": "Zahlung gescheitert", "Page Slow": "langsam", "Product Reviewed": "Bewertung", "Recommendation Made": "empfohlen", "Form Left": "Formular", Unsubscribed: "abgemeldet", "Ad Clicked": "Anzeige", Identified: "Anmeldung" },
};

const seconds = (a, b) => (Date.parse(b) - Date.parse(a)) / 1000;

function label(seen) {
  if (seen.name === "Order Completed") return `${named(seen.name).toLowerCase()} ${seen.revenue ? money(seen.revenue, seen.currency) : ""}`;
  return SHORT[document.documentElement.lang][seen.name] || "";
}

/** Cut the touchpoints where it was quiet for hours; the newest stretches. */
function stretchesOf(person) {
  const stretches = [];
  let before = null;
  for (const seen of person.touchpoints) {
    if (!before || seconds(before, seen.occurred_at) > QUIET_SECONDS) stretches.push([]);
    stretches.at(-1).push(seen);
    before = seen.occurred_at;
  }
  return stretches.slice(-MOST_STRETCHES);
}

/** Give every touchpoint its place: evenly in its stretch, so that busy minutes can be read. */
function place(stretches, row) {
  const all = stretches.reduce((sum, each) => sum + each.length + 1, 0);
  const pace = Math.max(17, (RIGHT - LEFT - GAP * (stretches.length - 1)) / all);
  let x = LEFT;
  return stretches.map((seen) => {
    const start = x, placed = seen.map((each, n) => ({ ...each, x: start + pace * (n + 1), y: FIRST_ROW + ROW * row(each.channel) + 30 }));
    x = start + pace * (seen.length + 1);
    const stretch = { start, end: x, seen: placed };
    x += GAP;
    return stretch;
  });
}

function bandsOf({ start, end, seen }) {
  const bands = [];
  seen.forEach((each, n) => {
    if (!n || each.phase !== seen[n - 1].phase) bands.push({ phase: each.phase, start: n ? (each.x + seen[n - 1].x) / 2 : start });
  });
  return bands.map((band, n) => ({ ...band, end: bands[n + 1]?.start ?? end }));
}

function boxesOf(stretch, person) {
  const boxes = new Map();
  for (const each of stretch.seen) {
    if (!each.session_id) continue;
    const box = boxes.get(each.session_id) || { id: each.session_id, x: each.x, x2: each.x, y: each.y, y2: each.y, n: 0 };
    boxes.set(each.session_id, { ...box, x2: each.x, y: Math.min(box.y, each.y), y2: Math.max(box.y2, each.y), n: box.n + 1 });
  }
  return [...boxes.values()].filter((box) => box.n > 1).map((box) => ({ ...box, visit: person.visits.find((each) => each.session_id === box.id), number: person.visits.findIndex((each) => each.session_id === box.id) + 1 }));
}

const Band = ({ band, bottom, site }) => {
  const phase = site.phase[band.phase];
  if (!phase) return null;
  const width = band.end - band.start;
  return (
    <g>
      <title>{phase.label}</title>
      <rect x={band.start} y={TOP} width={width} height={bottom - TOP} fill={phase.color} opacity=".10" />
      <rect x={band.start} y={TOP} width={width} height="4" fill={phase.color} />
      {width > 7.2 * phase.label.length + 12 && <text class="st" x={band.start + 8} y={TOP + 22}>{phase.label}</text>}
    </g>
  );
};

function Box({ box }) {
  const words = [say("session_title", box.number), box.visit && duration(seconds(box.visit.started_at, box.visit.ended_at)), box.visit?.device && named(box.visit.device)].filter(Boolean).join(", ");
  const width = box.x2 - box.x + 26;
  return (
    <g>
      <title>{words}</title>
      <rect x={box.x - 13} y={box.y - 24} width={width} height={box.y2 - box.y + 37} rx="3" fill="var(--bg)" stroke="var(--ink2)" stroke-width="1.25" />
      {width > 5.6 * words.length + 10 && <text class="sx" x={box.x - 7} y={box.y - 11}>{words}</text>}
    </g>
  );
}

/** The labels under dots that have room, each row for itself. */
function labelsOf(seen) {
  const ends = {};
  return seen.map((each) => {
    const text = label(each), half = 2.9 * text.length;
    if (!text || each.x - half < (ends[each.y] ?? -1)) return null;
    ends[each.y] = each.x + half + 8;
    return { ...each, text };
  }).filter(Boolean);
}

const Dot = ({ each, site }) => (
  <circle cx={each.x} cy={each.y} r="4.5" fill={site.phase[each.phase]?.color || "var(--ink3)"} stroke="var(--bg)" stroke-width="1.5">
    <title>{`${clock(each.occurred_at)} ${each.name} ${detail(each)}`}</title>
  </circle>
);

function Device({ stretch, person, y, known }) {
  const device = stretch.seen.at(-1).device_number;
  const link = person.links.find((each) => each.device_number === device);
  const text = `${named("device")}·${device}${link && known[link.kind] ? `, ${known[link.kind]}` : ""}`;
  const width = Math.min(stretch.end - stretch.start, 5.7 * text.length + 16);
  return (
    <g>
      <title>{text}</title>
      <path d={`M${stretch.start},${y}H${stretch.end}`} stroke="var(--rule2)" />
      <rect x={stretch.start} y={y - 10} width={width} height="20" rx="3" fill="var(--sub)" stroke="var(--rule2)" />
      {width >= 5.7 * text.length && <text class="sx" x={stretch.start + 8} y={y + 4}>{text}</text>}
    </g>
  );
}

export const linkWords = () => Object.fromEntries(["user", "email", "customer", "subscriber"].map((kind) => [kind, say(`link_${kind}`)]));

export function Timeline({ person, site, now }) {
  const cut = stretchesOf(person);
  const found = [...new Set(cut.flat().map((each) => each.channel))];
  const channels = [...CHANNELS.filter((each) => found.includes(each)), ...found.filter((each) => !CHANNELS.includes(each))];
  const stretches = place(cut, (channel) => channels.indexOf(channel));
  const bottom = FIRST_ROW + ROW * channels.length + 4, width = Math.max(1392, stretches.at(-1).end + 4);
  const all = stretches.flatMap((each) => each.seen);
  const known = linkWords();
  return (
    <div class="tlw" tabindex="0" role="region" aria-label={say("timeline")}>
      <svg viewBox={`0 0 ${width} ${bottom + 72}`} role="img" aria-label={say("timeline_of", pseudonym(person.person_id), person.visits.length, person.touchpoints.length)} style={{ minWidth: `${width * 0.75}px` }}>
        {stretches.flatMap((stretch) => bandsOf(stretch).map((band) => <Band {...{ band, bottom, site }} />))}
        {channels.map((channel, n) => (
          <g>
            <text class="st" x="0" y={FIRST_ROW + ROW * n + 25}>{named(channel)}</text>
            <path d={`M${LEFT},${FIRST_ROW + ROW * n + 47}H${width - 4}`} stroke="var(--rule)" />
          </g>
        ))}
        {stretches.slice(1).map((stretch, n) => {
          const x = stretch.start - GAP / 2, ended = stretches[n];
          return (
            <g>
              <path d={`M${x},${TOP}V${bottom}`} stroke="var(--rule2)" stroke-dasharray="2 4" />
              <text class="sx gap" transform={`translate(${x + 4},62) rotate(-90)`} text-anchor="middle">{duration(seconds(ended.seen.at(-1).occurred_at, stretch.seen[0].occurred_at))}</text>
            </g>
          );
        })}
        {stretches.flatMap((stretch) => boxesOf(stretch, person).map((box) => <Box box={box} />))}
        <path d={`M${all.map((each) => `${each.x.toFixed(1)},${each.y}`).join("L")}`} fill="none" stroke="var(--ink3)" />
        {all.map((each) => <Dot {...{ each, site }} />)}
        {labelsOf(all).map((each) => <text class={PAIN.includes(each.name) ? "al" : "sx"} x={each.x} y={each.y + 26} text-anchor="middle">{each.text}</text>)}
        <path d={`M${LEFT},${bottom + 14}H${width - 4}`} stroke="var(--rule2)" />
        {stretches.map((stretch) => (
          <g>
            <text class="st" x={stretch.start} y="16">{sameDay(stretch.seen[0].occurred_at, new Date(now).toISOString()) ? say("today") : day(stretch.seen[0].occurred_at)}</text>
            <text class="sx" x={stretch.start} y={bottom + 30}>{clock(stretch.seen[0].occurred_at)}</text>
            {stretch.end - stretch.start > 90 && <text class="sx" x={stretch.end} y={bottom + 30} text-anchor="end">{clock(stretch.seen.at(-1).occurred_at)}</text>}
            <Device {...{ stretch, person, known }} y={bottom + 54} />
          </g>
        ))}
        <text class="st" x="0" y={bottom + 58}>{say("ids")}</text>
      </svg>
    </div>
  );
}
