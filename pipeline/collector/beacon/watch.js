// What is noticed without being told. Each watcher gets `track` and gives, if it has something to
// say when a page is left or hidden, a function for that moment. No value of a field is ever read.

import { cut } from "./say.js";

const IDLE = 15000; // ms without a sign of life that still count as attention
const MOST_ERRORS = 5; // of a page load
const FILES = /\.(pdf|zip|rar|7z|gz|(doc|xls|ppt)x?|od[ts]|csv|txt|mp[34]|mov|exe|dmg|apk|epub)$/i;
const FIELDS = "input:not([type=search]),select,textarea";

// What web.dev/vitals calls poor.
const SLOW = { lcp_ms: 4000, inp_ms: 500, cls: 0.25 };

const on = (name, react) => addEventListener(name, react, { capture: true, passive: true });
const visible = () => document.visibilityState === "visible";

/** An address without its query: that may hold what is nobody's business. */
const bare = (url) => url.origin + url.pathname;

/** Seconds in which the page was seen and used, since the last time it was said. */
function engagement(track) {
  let last = visible() && performance.now();
  let spent = 0;
  let depth = 0;
  const alive = () => {
    const now = performance.now();
    if (last) spent += Math.min(now - last, IDLE);
    last = visible() && now;
  };
  const scrolled = () => {
    const { scrollHeight } = document.documentElement;
    depth = Math.max(depth, Math.min(100, (100 * (scrollY + innerHeight)) / scrollHeight));
  };
  for (const sign of ["pointermove", "pointerdown", "keydown", "scroll", "touchmove"]) on(sign, alive);
  on("scroll", scrolled);
  on("visibilitychange", () => visible() && (last = performance.now()));
  return () => {
    alive();
    scrolled();
    const seconds = Math.round(spent / 1000);
    if (!seconds) return;
    track("Page Engaged", { engaged_seconds: seconds, scroll_percent: Math.round(depth) });
    spent = depth = 0;
  };
}

/** Clicks that lead away, and downloads; what leads to another host of ours carries the visitor. */
function links(track, isOurs, carrying) {
  const clicked = ({ target, button }) => {
    const link = target.closest?.("a[href]");
    if (!link || !/^http/.test(link.protocol) || button > 1) return;
    const [, extension] = FILES.exec(link.pathname) || [];
    if (extension || link.hasAttribute("download"))
      track("File Downloaded", { href: bare(link), extension });
    else if (!isOurs(link.hostname)) track("Link Clicked", { href: bare(link) });
    else if (link.hostname !== location.hostname) link.href = carrying(link.href);
  };
  on("click", clicked);
  on("auxclick", clicked);
}

/** Forms begun, sent, and left with the field that was touched last. */
function forms(track) {
  const begun = new Map();
  const called = (element) =>
    element.getAttribute("name") || element.id || element.getAttribute("action") || "form";
  const field = ({ target }) => {
    if (!target.matches?.(FIELDS) || !target.form || target.form.matches("[role=search]")) return;
    return { form: called(target.form), field: target.name || target.id || target.type };
  };
  on("input", (event) => {
    const at = field(event);
    if (!at) return;
    if (!begun.has(at.form)) track("Form Started", at);
    begun.set(at.form, { said: "", ...begun.get(at.form), field: at.field });
  });
  on("focusin", (event) => {
    const at = field(event);
    if (at && begun.has(at.form)) begun.get(at.form).field = at.field;
  });
  on("submit", ({ target }) => {
    const form = called(target);
    if (begun.delete(form)) track("Form Submitted", { form });
  });
  return (isLeft) => {
    for (const [form, at] of begun)
      if (at.said !== at.field) track("Form Left", { form, field: (at.said = at.field) });
    if (isLeft) begun.clear();
  };
}

/** Errors of scripts: the first few different ones. */
function errors(track) {
  const seen = new Set();
  const report = (message, source = "", line = 0) => {
    message = cut(message);
    if (seen.size >= MOST_ERRORS || seen.has(message)) return;
    seen.add(message);
    track("Script Error", { message, source: source.split(/[?#]/)[0], line });
  };
  on("error", (event) => event.message && report(event.message, event.filename, event.lineno));
  on("unhandledrejection", ({ reason }) => report(reason?.message || reason));
}

/** Pages that were slow to show, slow to react, or jumped. */
function speed(track) {
  let worst = {};
  let [first, last, sum] = [0, 0, 0];
  const wasVisible = visible();
  const raise = (name, value) => (worst[name] = Math.max(worst[name] || 0, value));
  const observe = (type, see) => {
    try {
      new PerformanceObserver((list) => list.getEntries().forEach(see)).observe({
        type,
        buffered: true,
        durationThreshold: 104,
      });
    } catch {} // a browser that does not know this type
  };
  observe("largest-contentful-paint", (entry) => wasVisible && raise("lcp_ms", entry.startTime));
  observe("event", (entry) => entry.interactionId && raise("inp_ms", entry.duration));
  observe("layout-shift", ({ hadRecentInput, startTime, value }) => {
    if (hadRecentInput) return;
    if (startTime - last > 1000 || startTime - first > 5000) [first, sum] = [startTime, 0];
    last = startTime;
    raise("cls", (sum += value));
  });
  return () => {
    const found = Object.entries(worst).map(([name, value]) => [name, Math.round(value * 100) / 100]);
    if (found.some(([name, value]) => value > SLOW[name]))
      track("Page Slow", Object.fromEntries(found));
    worst = {};
  };
}

export const watchers = { engagement, links, forms, errors, speed };
