// The script tag: options from its data attributes, and calls that were made before it was there.

import { start } from "./beacon.js";

const tag = document.currentScript;
const { key, endpoint, channel, domains, search, watch, consent, signals, cookieless } = tag.dataset;
const words = (text) => text?.split(/[\s,]+/).filter(Boolean);
const waiting = window.touchstream || [];

if (!waiting.track) {
  const beacon = start({
    key,
    endpoint: endpoint || new URL("/v1/batch", tag.src).href,
    channel,
    domains: words(domains),
    search: words(search),
    watch: words(watch),
    consent,
    signals,
    cookieless: cookieless !== undefined,
  });
  const push = ([name, ...values]) => beacon[name]?.(...values);
  window.touchstream = { ...beacon, push };
  waiting.forEach(push);
}
