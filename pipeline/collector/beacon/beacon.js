// The beacon: notices what happens on a page, and takes what the page tells it.

import { createConsent } from "./consent.js";
import { createQueue } from "./queue.js";
import { cut, safe, teller } from "./say.js";
import { read, write } from "./store.js";
import { watchers } from "./watch.js";

const CARRIED = "ts_id"; // our visitor, from a page on another host of ours: id.time
const SUBSCRIBER = "ts_link"; // a newsletter's reader, by the pseudonym in its links
const FRESH = 120000; // ms in which a carried id is believed: a link that is passed on is older
const CLICK_IDS = /^((g|d|ms|fb|tt|tw)clid|[gw]braid|li_fat_id)$/;
const MOST_HELD = 200;

const uuid = () =>
  crypto.randomUUID?.() || crypto.getRandomValues(new Uint32Array(4)).join("-"); // without https

/** `id` if it can be one. */
const named = (id) => (/^(string|number)$/.test(typeof id) && id) || undefined;

const here = () => location.href.split("#")[0];

/** `url` without the parameters that `unwanted` names. */
const without = (url, unwanted) => {
  const clean = new URL(url);
  for (const name of [...clean.searchParams.keys()])
    if (unwanted.test(name)) clean.searchParams.delete(name);
  return clean.href;
};

/** Take our parameters out of the address bar, so that nobody passes them on. */
const landed = () => {
  const found = new URLSearchParams(location.search);
  const taken = { carried: found.get(CARRIED), subscriber: found.get(SUBSCRIBER) };
  if (taken.carried || taken.subscriber)
    history.replaceState(history.state, "", without(location.href, /^ts_(id|link)$/));
  return taken;
};

/**
 * Start a beacon. Options: `key` (write key), `endpoint` (URL of the collector's batches), and
 * `channel`, `domains`, `search`, `watch`, `consent`, `signals`, `cookieless`, `debug` as docs/beacon.md
 * says.
 */
export function start(options) {
  const { domains = [], search = ["q", "query", "search"], cookieless } = options;
  const say = teller(options.debug);
  const consent = createConsent(options, say);
  const keeps = () => !cookieless && consent.is("analytics", "granted");
  const queue = createQueue(options.endpoint, options.key, keeps, say);
  const landing = landed();
  const leaving = [];
  let view = { url: here(), referrer: document.referrer };
  let arriving = 0; // the timer of a view that awaits its title
  let held = []; // until consent is known
  let now = 0;
  let anonymousId;
  let userId;

  const isOurs = (host) =>
    [location.hostname, ...domains].some((ours) => host === ours || host.endsWith("." + ours));
  const leave = (isLeft) => leaving.forEach((say) => say(isLeft));

  const identity = () => {
    if (!keeps()) return { userId };
    anonymousId = write("id", anonymousId || named(read("id")) || uuid());
    userId = write("user", userId || named(read("user")));
    return { anonymousId, userId };
  };

  const call = (type, fields) => {
    if (consent.is("analytics", "denied")) return;
    const { language: locale } = navigator;
    const { timeZone: timezone } = Intl.DateTimeFormat().resolvedOptions();
    const { channel } = options;
    const page = { title: document.title, ...view };
    const context = { page, locale, timezone, channel, library: { name: "beacon.js" } };
    now = Math.max(Date.now(), now + 1); // the order is told by the time alone
    const made = { type, messageId: uuid(), timestamp: new Date(now), ...fields, context };
    held.push(JSON.parse(JSON.stringify(made))); // pages go on to change their objects
    release();
  };

  const release = () => {
    held = held.slice(-MOST_HELD);
    if (!consent.is("analytics", "granted")) return;
    for (const { context, ...rest } of held.splice(0)) {
      const { page } = context;
      if (!consent.is("marketing", "granted")) page.url = without(page.url, CLICK_IDS);
      queue.add({ ...identity(), ...rest, context: { ...context, consent: consent.preferences() } });
    }
  };

  const track = (event, properties) => call("track", { event, properties });

  const identify = (id, traits) => {
    userId = named(id) || userId;
    call("identify", { traits });
  };

  const page = (properties) => {
    call("page", { properties });
    const words = new URL(view.url).searchParams;
    const query = search.map((name) => words.get(name)).find(Boolean);
    if (query) track("Products Searched", { query: cut(query) });
  };

  /** What a link brought along, as soon as it may be known. */
  const pickUp = () => {
    if (!keeps()) return;
    const [id, time] = (landing.carried || "").split(".");
    landing.carried = null;
    if (/^[\w-]{16,64}$/.test(id) && Math.abs(Date.now() - parseInt(time, 36)) < FRESH) {
      const before = read("id");
      anonymousId = write("id", id);
      if (before && before !== id) call("alias", { previousId: before });
    }
    if (!consent.is("marketing", "granted")) return;
    const subscriber = landing.subscriber;
    landing.subscriber = null;
    if (/^[\w.~-]{1,128}$/.test(subscriber || "")) identify(null, { subscriber_id: subscriber });
  };

  const reset = () => {
    anonymousId = userId = undefined;
    write("id", null);
    write("user", null);
  };

  /** `url` of another host of ours, carrying the visitor along. */
  const link = (url) => {
    if (!keeps()) return url;
    const to = new URL(url, location);
    to.searchParams.set(CARRIED, identity().anonymousId + "." + Date.now().toString(36));
    return to.href;
  };

  const arrive = () => {
    if (!arriving) return;
    clearTimeout(arriving);
    arriving = 0;
    page();
  };

  const moved = () => {
    const url = here();
    if (url === view.url) return;
    let { referrer } = view;
    const isSeen = !arriving || "title" in view; // or else a router went on in the same breath
    if (isSeen) {
      arrive();
      leave(true);
      referrer = view.url;
    }
    clearTimeout(arriving);
    const mine = (view = { url, referrer });
    Promise.resolve().then(() => (mine.title = document.title)); // most change it at once
    arriving = setTimeout(() => {
      delete mine.title;
      arrive();
    });
  };

  const watchPage = () => {
    for (const name of options.watch || Object.keys(watchers)) {
      const say = watchers[name]?.(track, isOurs, link);
      if (say) leaving.push(say);
    }
    for (const name of ["pushState", "replaceState"]) {
      const original = history[name];
      history[name] = function (...way) {
        original.apply(this, way);
        safe(say, moved)();
      };
    }
    addEventListener("popstate", moved);
  };

  const watchEnd = () => {
    let isGone = false;
    addEventListener("pagehide", () => {
      isGone = true;
      arrive();
      leave();
      queue.flush();
    });
    addEventListener("pageshow", ({ persisted }) => {
      isGone = false;
      if (persisted) appear(); // back out of the browser's memory
    });
    addEventListener("visibilitychange", () => {
      if (isGone) return;
      if (document.visibilityState === "hidden") leave();
      queue.send();
    });
  };

  const appear = () => {
    if (keeps()) queue.resume();
    pickUp();
    page();
  };

  const begin = () => {
    appear();
    watchPage();
    watchEnd();
  };

  if (document.prerendering) addEventListener("prerenderingchange", begin, { once: true });
  else begin();

  const calls = {
    page,
    track,
    identify,
    reset,
    link,
    /** The visitor's id, for what a server sends; undefined without consent. */
    id: () => identity().anonymousId,
    /** The visitor's choice: `{analytics: true, marketing: false}`. */
    consent(choice) {
      consent.choose(choice);
      if (consent.is("analytics", "denied")) {
        held = [];
        queue.clear();
        reset();
      }
      pickUp();
      release();
    },
  };
  // Nothing that a page says wrong comes back to it.
  for (const name in calls) calls[name] = safe(say, calls[name], name === "link" ? String : undefined);
  return calls;
}
