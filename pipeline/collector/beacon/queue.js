// Calls wait here until the collector has answered. What a page could not hand over, or handed over
// without hearing the answer, is sent again by the next page; the messageId makes it count once.

import { read, write } from "./store.js";

const MOST = 200; // calls; then the oldest go
const LARGEST_CALL = 32000; // bytes; the collector refuses larger ones
const LARGEST_BODY = 60000; // browsers allow 64 KB for what outlives a page
const OLDEST = 864e5; // ms; later than a day they would join no session
const PAUSE = 1000; // ms for company; the first pause after a failure, too
const LONGEST_PAUSE = 60000;

const REFUSED = [400, 413, 415, 422]; // for what it says: another call may be better

/** What earlier pages and other tabs have left; whatever else stands there is nobody's call. */
const kept = () => [read("queue")].flat().filter((call) => call?.messageId);

const bytes = (text) => new TextEncoder().encode(text).length;

const isSmall = (call) => bytes(JSON.stringify(call)) <= LARGEST_CALL;

/** Sends calls to `url` in batches; keeps them in storage while `keeps()` says so. */
export function createQueue(url, writeKey, keeps, say) {
  let calls = [];
  let flying = [];
  let delay = PAUSE;
  let timer; // one at most
  let most = MOST; // in a request: fewer after a refusal, until the bad one is alone
  const done = new Set();

  // Other tabs have calls in the same storage: theirs stay as they are.
  const save = () => {
    if (!keeps()) return;
    const mine = new Set([...done, ...calls.map((call) => call.messageId)]);
    const others = kept().filter((call) => !mine.has(call.messageId));
    const all = others.concat(calls).slice(-MOST);
    write("queue", all.length ? all : null);
  };

  const portion = () => {
    let size = 200;
    const part = [];
    for (const call of calls) {
      if (flying.includes(call)) continue;
      size += bytes(JSON.stringify(call)) + 1;
      if (part.length && (size > LARGEST_BODY || part.length >= most)) break;
      part.push(call);
    }
    return part;
  };

  const body = (batch) => JSON.stringify({ writeKey, sentAt: new Date(), batch });

  const schedule = (wait) => (timer ||= setTimeout(send, wait));

  const settle = (part) => {
    part.forEach((call) => done.add(call.messageId));
    calls = calls.filter((call) => !part.includes(call));
    delay = PAUSE;
    most = Math.min(2 * most, MOST);
    save();
    schedule(0);
  };

  async function send() {
    timer = clearTimeout(timer);
    if (flying.length || !calls.length) return;
    flying = portion();
    const part = flying;
    let status = 0;
    try {
      // A text needs no preflight.
      const how = { method: "POST", body: body(part), keepalive: true, credentials: "omit" };
      const answer = await fetch(url, how);
      status = answer.status;
      say(part, status, await answer.text().catch(String));
    } catch (error) {
      say(part, error);
    }
    flying = [];
    if (REFUSED.includes(status) && part.length > 1) {
      most = part.length >> 1;
      return schedule(0);
    }
    if (status && status < 500 && status !== 408 && status !== 429) return settle(part);
    schedule(delay * (0.5 + Math.random() / 2));
    delay = Math.min(2 * delay, LONGEST_PAUSE);
  }

  addEventListener("online", send);

  return {
    send,
    add(call) {
      if (!isSmall(call)) return say("too large to be sent", call);
      say(call);
      calls = [...calls, call].slice(-MOST);
      save();
      schedule(PAUSE);
    },
    /** Take over what earlier pages left; storage that is full may lack what this one has. */
    resume() {
      const since = Date.now() - OLDEST;
      const mine = new Set([...done, ...calls.map((call) => call.messageId)]);
      const left = kept().filter((call) => !mine.has(call.messageId) && isSmall(call));
      calls = left.concat(calls).filter((call) => Date.parse(call.timestamp) > since);
      schedule(0);
    },
    /** The page goes away: nobody will hear the answer. */
    flush() {
      const part = portion();
      if (part.length) navigator.sendBeacon?.(url, body(part));
    },
    clear() {
      calls = [];
      write("queue", null);
    },
  };
}
