// Numbers, money and times in the language of the page; small numbers as ranges.

import { language, say } from "./words.js";

const locale = () => (language.now === "de" ? "de-DE" : "en-GB");
export const zone = { name: "UTC" };

const formats = new Map();
function format(kind, options, Kind = Intl.NumberFormat) {
  const key = `${kind} ${locale()} ${zone.name}`;
  if (!formats.has(key)) formats.set(key, new Kind(locale(), options));
  return formats.get(key);
}

const MILLION = 1e6;

/** Millions and more in three digits, so that they fit where they stand; the CSV has all of them. */
const short = (n) => format("short", { notation: "compact", maximumSignificantDigits: 3 }).format(n);

const decimal = (n, digits) => (Math.abs(n) >= MILLION ? short(n)
  : format(`decimal${digits}`, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n));
export const count = (n) => decimal(n, 0);

/** How many there are of what the word means, as `1 person` or `2 people`. */
export const several = (word, n) => (n === 1 ? say(`one_${word}`) : say(`n_${word}`, count(n)));

/** An amount of which two decimals would show nothing, or next to nothing. */
const tiny = (n) => format("tiny", { maximumSignificantDigits: 4 }).format(n);
const TINY = 0.1;

export function money(amount, currency) {
  const size = Math.abs(amount);
  const written = (digits) => (size && size < TINY ? tiny(amount) : decimal(amount, size < 100 && amount % 1 ? digits : 0));
  if (!/^[A-Z]{3}$/.test(currency || "")) return written(2);
  const paid = format(`symbol${currency}`, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  const symbol = paid.formatToParts(0).find((part) => part.type === "currency").value;
  return `${written(paid.resolvedOptions().maximumFractionDigits)} ${symbol}`;
}

/** A share from 0 to 1. */
export function percent(share) {
  const p = 100 * share;
  return `${p > 0 && p < 9.95 ? decimal(p, 1) : decimal(p, 0)} %`;
}

const whole = (share) => Math.round(100 * share);

export function range(low, high) {
  const [a, b] = [whole(low), whole(high)];
  return a === b ? `${a} %` : `${a}–${b} %`;
}

export const span = (low, high) => {
  const [a, b] = [Math.round(low), Math.round(high)];
  return a === b ? count(a) : `${count(a)}–${count(b)}`;
};

/** The 95 % interval of a share (Wilson 1927). */
export function wilson(part, of) {
  const z = 1.96, p = part / of, d = 1 + (z * z) / of;
  const middle = (p + (z * z) / (2 * of)) / d;
  const half = (z * Math.sqrt((p * (1 - p)) / of + (z * z) / (4 * of * of))) / d;
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

const FEWEST = 10, ENOUGH = 50, FEW_SUCCESSES = 5;

/** What can be said of `part` of `of`: one share, a range of shares, or nothing. */
export function share(part, of) {
  if (of < FEWEST) return { is: "few", text: of ? say("few") : "–" };
  const value = part / of;
  if (of >= ENOUGH && part >= FEW_SUCCESSES) return { is: "share", value, text: `${whole(value)} %` };
  const [low, high] = wilson(part, of);
  return { is: "range", value, low, high, text: range(low, high) };
}

/** How `now` differs from `before`, with its sign. */
export function change(now, before) {
  if (!before) return now ? say("new_value") : "±0 %";
  if (now >= 4 * before) return `× ${count(now / before)}`;
  const p = Math.round((100 * (now - before)) / before);
  return `${p > 0 ? "+" : p < 0 ? "−" : "±"}${count(Math.abs(p))} %`;
}

const UNITS = {
  en: { s: "s", m: "min", h: "h", d: "days", one: "day" },
  de: { s: "s", m: "min", h: "h", d: "Tage", one: "Tag" },
};

export function duration(seconds) {
  const u = UNITS[language.now];
  if (seconds < 10) return `${decimal(seconds, Number.isInteger(seconds) ? 0 : 1)} ${u.s}`;
  if (seconds < 100) return `${decimal(seconds, 0)} ${u.s}`;
  if (seconds < 5400) return `${decimal(seconds / 60, seconds < 600 ? 1 : 0)} ${u.m}`;
  if (seconds < 129600) return `${decimal(seconds / 3600, seconds < 36000 ? 1 : 0)} ${u.h}`;
  const days = seconds / 86400;
  return days < 1.05 && days > 0.95 ? `1 ${u.one}` : `${decimal(days, days < 10 ? 1 : 0)} ${u.d}`;
}

/** The same in the space of a cell. */
export function brief(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} m`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} ${language.now === "de" ? "T" : "d"}`;
}

const times = (kind, options) => (at) =>
  format(kind, { timeZone: zone.name, hourCycle: "h23", ...options }, Intl.DateTimeFormat).format(new Date(at));

export const clock = times("clock", { hour: "2-digit", minute: "2-digit" });
export const second = times("second", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const day = times("day", { day: "numeric", month: "short" });
export const weekday = times("weekday", { weekday: "long" });
const moment = times("moment", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/** A time as short as it can be told apart from others in a span of so many milliseconds. */
export const when = (at, length) => (length < 36 * 3600e3 ? clock(at) : length < 8 * 86400e3 ? moment(at) : day(at));
export const dated = (at) => moment(at);
export const sameDay = (a, b) => day(a) === day(b);

/** What the site's clocks show at a time, as the browser's own input writes it. */
export const onClock = (at) =>
  new Intl.DateTimeFormat("sv-SE", { timeZone: zone.name, dateStyle: "short", timeStyle: "short" }).format(at).replace(" ", "T");

/** When the site's clocks show it, in milliseconds. */
export function offClock(shown) {
  const asUtc = Date.parse(`${shown}Z`);
  const by = (at) => asUtc - (Date.parse(`${onClock(at)}Z`) - at);
  return by(by(asUtc));
}

export function ordinal(n) {
  if (language.now === "de") return `${n}.`;
  const rule = new Intl.PluralRules("en", { type: "ordinal" }).select(n);
  return `${n}${{ one: "st", two: "nd", few: "rd", other: "th" }[rule]}`;
}

/** A person's pseudonym, as short as people remember it. */
export const pseudonym = (id) => `p·${id.slice(0, 4)}`;
