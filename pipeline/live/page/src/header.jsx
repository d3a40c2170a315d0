// The line on top: the filters, and how live the page is.

import { useEffect, useRef, useState } from "preact/hooks";
import { SPANS, to, view } from "./address.js";
import { dated, duration, offClock, onClock, second, zone } from "./numbers.js";
import { Chevron } from "./shapes.jsx";
import { language, named, say } from "./words.js";

export const Mark = () => (
  <svg width="20" height="16" viewBox="0 0 20 16" aria-hidden="true">
    {[[0, 0, 16], [4, 2, 13], [8, 4, 10], [12, 6, 7], [16, 8, 4]].map(([x, y, height], n) => <rect x={x} y={y} width="3" height={height} fill={`var(--p${n + 1})`} />)}
  </svg>
);

/** A filter: what is chosen, and under it, unseen, the browser's own list. */
function Choice({ name, value, options, choose }) {
  const text = options.find((option) => option.value === value)?.label ?? value;
  return (
    <span class="chip choice">
      <i class="lab" aria-hidden="true">{say(name)}</i><span aria-hidden="true">{text}</span><Chevron />
      <select aria-label={say(name)} value={value} onChange={(event) => choose(event.target.value)}>
        {options.map((option) => <option value={option.value}>{option.label}</option>)}
      </select>
    </span>
  );
}

function OwnSpan({ close, go, said, now }) {
  const dialog = useRef();
  // Once: the page is drawn every second, and what somebody types must stay.
  const [[first, last]] = useState([onClock(Date.parse(said.from) || now - 86400e3), onClock(Date.parse(said.to) || now)]);
  useEffect(() => { dialog.current.showModal(); }, []);
  const submit = (event) => {
    event.preventDefault();
    const { from: begin, to: end } = event.target.elements;
    const [from, until] = [begin, end].map((input) => new Date(offClock(input.value)));
    if (from >= until) {
      end.setCustomValidity(say("ends_before"));
      end.reportValidity();
      return;
    }
    close();
    go(to({ from: from.toISOString(), to: until.toISOString(), span: "" }));
  };
  return (
    <dialog ref={dialog} onClose={close} aria-label={say("span")}>
      <form onSubmit={submit} onInput={(event) => event.currentTarget.elements.to.setCustomValidity("")}>
        <p class="q">{say("clock_of", zone.name)}</p>
        <label>{say("from")} <input required type="datetime-local" name="from" defaultValue={first} /></label>
        <label>{say("to")} <input required type="datetime-local" name="to" defaultValue={last} /></label>
        <div class="acts side"><button class="btn p">{say("show")}</button><button class="btn" type="button" onClick={close}>{say("cancel")}</button></div>
      </form>
    </dialog>
  );
}

function Filters({ site, said, go, now }) {
  const [isOwn, own] = useState(false);
  const list = (values, all) => [{ value: "", label: say(all) }, ...values.map((value) => ({ value, label: named(value) }))];
  const spans = SPANS.map((value) => ({ value, label: say(`span_${value}`) }));
  if (said.from) spans.push({ value: "now", label: `${dated(said.from)} – ${dated(said.to)}` });
  const chooseSpan = (value) => (value === "own" ? own(true) : value !== "now" && go(to({ span: value === "1h" ? "" : value, from: "", to: "" })));
  const chosen = (values, value) => (value && !values.includes(value) ? [...values, value] : values);
  return (
    <div class="filters" role="group" aria-label={say("filters")}>
      <Choice name="site" value={site.site} options={chosen(site.sites, site.site).map((value) => ({ value, label: value }))} choose={(value) => go(view({ site: value, channel: "", segment: "" }))} />
      <Choice name="model" value={said.model || site.models[0].id} options={site.models.map((model) => ({ value: model.id, label: named(model.id) }))} choose={(value) => go(to({ model: value === site.models[0].id ? "" : value }))} />
      <Choice name="span" value={said.from ? "now" : said.span || "1h"} options={[...spans, { value: "own", label: say("own") }]} choose={chooseSpan} />
      <Choice name="segment" value={said.segment || ""} options={list(chosen(site.segments, said.segment), "everyone")} choose={(value) => go(to({ segment: value }))} />
      <Choice name="channel" value={said.channel || ""} options={list(chosen(site.channels, said.channel), "all")} choose={(value) => go(to({ channel: value }))} />
      {isOwn && <OwnSpan close={() => own(false)} {...{ go, said, now }} />}
    </div>
  );
}

const SILENT_SECONDS = 40;

/** What the live status says: [shape, words, more words]. */
function status(stream, isLive, isEmpty, now) {
  const pulse = stream.panels.pulse;
  if (stream.state === "lost" || stream.state === "closed") return ["ring", say("lost"), ""];
  if (!pulse?.rows) return ["ring", say("connecting"), ""];
  if (isEmpty) return ["grey", say("listening"), `, ${say("nothing_yet")}`];
  if (!isLive) return ["ring", say("past"), ""];
  const newest = Date.parse(pulse.rows.newest);
  const silent = (now - newest) / 1000;
  if (!pulse.rows.newest || silent > SILENT_SECONDS) return ["ring", say("silent", pulse.rows.newest ? duration(silent) : "48 h"), ""];
  return ["beat", say("live"), pulse.behind === undefined || pulse.behind === null ? "" : `, ${say("behind", duration(Math.max(0.1, pulse.behind)))}`];
}

function Status({ stream, isLive, isEmpty, now }) {
  const [shape, words, more] = status(stream, isLive, isEmpty, now);
  const at = new Date(now).toISOString();
  const spoken = useRef({ words: "", at: 0 });
  if (spoken.current.words !== words && now - spoken.current.at > 3e4) spoken.current = { words, at: now };
  return (
    <div class="live">
      <span class={`dot ${shape}`} /><span><b>{words}</b>{more}</span><span class="q tz">{second(at)} {zone.name}</span>
      <span class="hidden" role="status">{spoken.current.words}</span>
    </div>
  );
}

export function Header({ site, said, go, stream, isLive, isEmpty, now, speak, shade }) {
  return (
    <header class="top">
      <div class="wrap">
        <a class="brand" href={view({})}><Mark />Touchstream</a>
        {site && <Filters {...{ site, said, go, now }} />}
        <span class="grow" />
        {site && <Status {...{ stream, isLive, isEmpty, now }} />}
        <button type="button" aria-label={say("language")} onClick={speak}>{language.now.toUpperCase()}<Chevron /></button>
        <button type="button" id="theme" aria-label={say("theme")} onClick={shade}>
          <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" /><path d="M8 2a6 6 0 010 12z" fill="currentColor" /></svg>
        </button>
      </div>
    </header>
  );
}
