// What is looked at stands in the address, so that a view can be sent to a colleague.

import { useEffect, useState } from "preact/hooks";

export const FILTERS = ["site", "model", "channel", "segment", "span", "from", "to"];
export const SPANS = ["1h", "3h", "24h", "7d", "28d", "90d"];
const HOURS = { "1h": 1, "3h": 3, "24h": 24, "7d": 168, "28d": 672, "90d": 2160 };

let listeners = [];

export const here = () => Object.fromEntries(new URLSearchParams(location.search));

function href(said) {
  const kept = Object.entries(said).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(kept).toString();
  return text ? `/?${text}` : "/";
}

/** The address with some of it changed; what is empty is left out. */
export const to = (changes) => href({ ...here(), ...changes });

/** The address of a view of its own: only the filters stay. */
export function view(changes) {
  const said = here();
  return href({ ...Object.fromEntries(FILTERS.map((name) => [name, said[name]])), ...changes });
}

/** The path of a question of the API, asked for what is looked at. */
export function api(name, more = {}) {
  const said = here();
  const asked = { ...Object.fromEntries(FILTERS.map((each) => [each, said[each]])), ...more };
  return `/api/${name}${href(asked).slice(1)}`;
}

export function go(path, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", path);
  for (const tell of listeners) tell();
}

export function useAddress() {
  const [, again] = useState(0);
  useEffect(() => {
    const tell = () => again((n) => n + 1);
    listeners.push(tell);
    addEventListener("popstate", tell);
    return () => {
      listeners = listeners.filter((each) => each !== tell);
      removeEventListener("popstate", tell);
    };
  }, []);
  return here();
}

/** Follow links of our own without loading the page anew. */
export function followLinks() {
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='/?'], a[href='/']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button || link.target) return;
    event.preventDefault();
    go(link.getAttribute("href"));
    scrollTo(0, 0);
    document.getElementById("main")?.focus({ preventScroll: true });
  });
}

/** How long the span is, in milliseconds, and when it ends; `now` is the time of the server. */
export function spanOf(said, now) {
  if (said.from && said.to) {
    const [start, end] = [Date.parse(said.from), Date.parse(said.to)];
    return { start, end, length: end - start, isLive: false };
  }
  const length = (HOURS[said.span] || 1) * 3600e3;
  return { start: now - length, end: now, length, isLive: true };
}
