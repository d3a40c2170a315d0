// The script tag: options from its data attributes, and calls that were made before it was there.

import { start } from "./beacon.js";
import { safe, teller } from "./say.js";

const tag = document.currentScript;
const { dataset } = tag;
const { key, endpoint, channel, domains, search, watch, consent, signals } = dataset;
const words = (text) => text?.split(/[\s,]+/).filter(Boolean);
const has = (name) => dataset[name] !== undefined;
const waiting = window.touchstream;
const say = teller(has("debug"));

const begin = () => {
  const beacon = start({
    key,
    endpoint: endpoint || new URL("/v1/batch", tag.src).href,
    channel,
    domains: words(domains),
    search: words(search),
    watch: words(watch),
    consent,
    signals,
    cookieless: has("cookieless"),
    debug: has("debug"),
  });
  const push = safe(say, ([name, ...values]) => {
    if (beacon[name]) beacon[name](...values);
    else say(`there is no call ${JSON.stringify(name)}: it is one of`, Object.keys(beacon));
  });
  window.touchstream = { ...beacon, push };
  if (Array.isArray(waiting)) waiting.forEach((call) => push(call));
};

if (!waiting?.track) safe(say, begin)();
