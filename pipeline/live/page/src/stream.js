// What the server tells: one stream for what is looked at; the newest of each panel is kept.

import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "./address.js";

/** The panels of the overview; the last three belong to the key figures. */
export const PANELS = [
  "alerts", "funnel", "funnel_lines", "phases", "abandoned", "orders", "arrived", "refused", "traffic", "map", "weak",
  "crossings", "mailings", "usual_funnel", "usual_abandoned", "usual_orders",
];
export const KEY_FIGURES = ["kpis", "kpi_lines", "touchpoints"];
const PULSE = "pulse", HIDDEN_SECONDS = 60;
const PLACES = ["1", "2", "3", "4"], TURN_SECONDS = 1;

/** Whether somebody can see the page: a tab in the background is not kept up to date for long. */
function useSeen() {
  const [isSeen, see] = useState(!document.hidden);
  useEffect(() => {
    let timer = 0;
    const tell = () => {
      clearTimeout(timer);
      if (document.hidden) timer = setTimeout(() => see(false), 1000 * HIDDEN_SECONDS);
      else see(true);
    };
    tell();
    document.addEventListener("visibilitychange", tell);
    return () => { clearTimeout(timer); document.removeEventListener("visibilitychange", tell); };
  }, []);
  return isSeen;
}

/** One of the places that all windows of this browser share, as what frees it; nothing if all are
 * taken. A browser has six connections to a server, and loading and asking must go on. */
async function place() {
  if (!navigator.locks) return () => {};
  for (const name of PLACES) {
    const free = await new Promise((tell) => {
      navigator.locks.request(`stream ${name}`, { ifAvailable: true }, (lock) =>
        lock ? new Promise(tell) : tell(null));
    });
    if (free) return free;
  }
  return null;
}

/** Hear `only` these panels: all the time, or without a place in turns. Gives what ends it. */
function follow(only, { onState, onPanel }) {
  let source, timer, free, isOver = false;
  const open = async () => {
    free = await place();
    if (isOver) return free?.();
    let isHeard = false;
    source = new EventSource(api("stream", free ? { only } : { only, brief: 1 }));
    source.onopen = () => { isHeard = true; onState("open"); };
    source.onerror = () => {
      const isRefused = source.readyState === EventSource.CLOSED;
      if (free || isRefused || !isHeard) onState(isRefused ? "closed" : "lost");
      if (free || isRefused) return;
      source.close();
      timer = setTimeout(open, 1000 * TURN_SECONDS);
    };
    for (const panel of only.split(",")) {
      source.addEventListener(panel, (event) => onPanel(panel, JSON.parse(event.data)));
    }
  };
  open();
  return () => { isOver = true; clearTimeout(timer); source?.close(); free?.(); };
}

/** The pulse and the `panels` by name: `{now, rows}`, or with `error` and `retry` beside the rows of
 * before. Another `key` begins anew; with other panels, or at another of the `tries`, what is
 * known stays. */
export function useStream(key, panels, tries) {
  const kept = useRef({ key: null, panels: {}, state: "connecting" });
  const [, again] = useState(0);
  const isSeen = useSeen(), only = [PULSE, ...panels].join();
  if (kept.current.key !== key) kept.current = { key, panels: {}, state: "connecting" };
  useEffect(() => {
    if (!key || !isSeen) return undefined;
    const mine = kept.current;
    let frame = 0;
    const draw = () => {
      frame ||= setTimeout(() => { frame = 0; again((n) => n + 1); }, 60);
    };
    const onState = (state) => { mine.state = state; draw(); };
    const onPanel = (panel, said) => {
      const before = mine.panels[panel];
      const behind = said.behind ?? before?.behind;
      mine.panels[panel] = said.error ? { ...before, ...said, failed: Date.now() } : { ...said, behind };
      if (panel === PULSE) mine.ahead = Date.parse(said.now) - Date.now();
      draw();
    };
    const end = follow(only, { onState, onPanel });
    return () => { clearTimeout(frame); end(); };
  }, [key, only, isSeen, tries]);
  return kept.current;
}

/** The answer of the API to one question: `{answer}`, `{error, detail}`, or nothing yet.
 *
 * It is asked again when `again` changes, but not before the answer is there: a slow one would never
 * come. */
export function useAnswer(path, again = 0) {
  const [found, set] = useState({});
  const asking = useRef(null);
  useEffect(() => () => { asking.current?.abort(); asking.current = null; }, [path]);
  useEffect(() => {
    if (asking.current) return;
    const mine = asking.current = new AbortController();
    set((before) => (before.path === path ? before : {}));
    fetch(path, { signal: mine.signal })
      .then(async (response) => {
        const body = await response.json();
        set(response.ok ? { path, answer: body } : { path, status: response.status, ...body });
      })
      .catch((error) => error.name === "AbortError" || set({ path, error: "unavailable" }))
      .finally(() => { if (asking.current === mine) asking.current = null; });
  }, [path, again]);
  return found.path === path ? found : {};
}
