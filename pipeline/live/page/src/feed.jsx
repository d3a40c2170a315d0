// The newest touchpoints, what became of each, and, opened, what arrived. New ones wait while
// somebody points at the list, has the keyboard in it, or has paused it.

import { useEffect, useRef, useState } from "preact/hooks";
import { view } from "./address.js";
import { count, duration, money, ordinal, pseudonym, second } from "./numbers.js";
import { Requests } from "./requests.jsx";
import { CROSS, DOT, Fate, HALF, Phase, RING, Section, Tabs } from "./shapes.jsx";
import { reason, say, stage } from "./words.js";

const MOST = 9, LATE_SECONDS = 300;

const delay = (row) => (Date.parse(row.received_at) - Date.parse(row.occurred_at)) / 1000;
const isLate = (row) => row.is_late || delay(row) > LATE_SECONDS;

export function parsed(properties) {
  try {
    return JSON.parse(properties);
  } catch {
    return {};
  }
}

/** The one thing about a touchpoint that is worth a word. */
export function detail(row) {
  const said = parsed(row.properties);
  if (row.revenue) return money(row.revenue, row.currency);
  const found = [said.campaign_name, said.campaign_id, said.step, said.query, said.name, said.reason, said.message, said.score, row.path];
  const first = found.find((value) => (typeof value === "string" && value) || typeof value === "number");
  return first === undefined ? "" : String(first).slice(0, 48);
}

function fate(row) {
  if (row.is_bot) return <Fate shape={RING}>{say("a_bot")}</Fate>;
  if (row.is_late) return <Fate shape={HALF}>{say("too_late")}</Fate>;
  if (!row.session_id) return <Fate shape={RING}>{say("not_judged")}</Fate>;
  if (isLate(row)) return <Fate shape={HALF}>{say("fitted", duration(delay(row)))}</Fate>;
  if (row.nth === 1 && row.session_number === 1) return <Fate shape={DOT}>{say("new_session")}</Fate>;
  return <Fate shape={DOT}>{say("session_nth", row.session_number, ordinal(row.nth))}</Fate>;
}

function Arrived({ row, phase, isOpen, toggle }) {
  const more = detail(row);
  const { name } = row;
  return (
    <>
      <tr>
        <td>{second(row.occurred_at)}</td>
        <td class="c-ch">{row.channel}</td>
        <td><button type="button" class="plain" aria-expanded={isOpen} aria-label={say("open_row", name, second(row.occurred_at))} onClick={toggle}>{name}{more && <span class="q"> {more}</span>}</button></td>
        <td class="c-pe mono">{row.person_id ? <a href={view({ view: "person", person: row.person_id })}>{pseudonym(row.person_id)}</a> : "–"}</td>
        <td class="c-ph"><Phase phase={phase} /></td>
        <td class="c-fa">{fate(row)}</td>
      </tr>
      {isOpen && (
        <tr class="open"><td colspan="6"><b>{say("what_arrived")}.</b> {say("arrived_after", duration(Math.max(0, delay(row))), row.touchpoint_id)} <span class="mono q raw">{row.properties}</span></td></tr>
      )}
    </>
  );
}

function Refused({ row, isOpen, toggle }) {
  const why = reason(row.reason);
  const payload = row.encoding === "utf-8" ? row.payload : `${row.encoding}: ${row.payload}`;
  return (
    <>
      <tr>
        <td>{second(row.at)}</td>
        <td class="c-ch">{stage(row.stage)}</td>
        <td><button type="button" class="plain" aria-expanded={isOpen} aria-label={say("open_row", why, second(row.at))} onClick={toggle}>{why}</button></td>
        <td class="c-pe mono">–</td>
        <td class="c-ph"><Phase /></td>
        <td class="c-fa"><Fate shape={CROSS}><b>{say("refused")}</b></Fate></td>
      </tr>
      {isOpen && (
        <tr class="open"><td colspan="6">
          <b>{say("dead_letter", stage(row.stage), why)}</b> <span class="mono">{row.reason}</span> <span lang="en">{row.detail}</span> <span class="mono q raw">{payload}</span>
          {say("how_to_mend")} · {say("alike", count(row.alike))} · {say("replay")}
        </td></tr>
      )}
    </>
  );
}

/** What to show while new rows wait: those that stood there when it began. */
function useHeld(rows, isHeld) {
  const kept = useRef(rows);
  if (!isHeld) kept.current = rows;
  return kept.current;
}

export function Feed({ panels, site, now }) {
  const { arrived, refused, pulse } = panels;
  const [tab, choose] = useState("all");
  const [isPaused, pause] = useState(false);
  const [isNear, near] = useState(false);
  const [opened, open] = useState(null);
  useEffect(() => {
    const press = (event) => event.key === "p" && !/INPUT|SELECT|TEXTAREA/.test(event.target.tagName) && !event.ctrlKey && !event.metaKey && pause((was) => !was);
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  const letters = refused?.rows || [];
  const mixed = [...(arrived?.rows || []), ...letters.filter((row) => now - Date.parse(row.at) < 3600e3)]
    .sort((a, b) => Date.parse(b.received_at || b.at) - Date.parse(a.received_at || a.at));
  const lists = { all: mixed, late: (arrived?.rows || []).filter(isLate), refused: letters, requests: [] };
  const rows = useHeld(lists, isPaused || isNear || opened !== null)[tab].slice(0, MOST);
  const tabs = [
    { id: "all", of: "feed", label: say("all_rate", count(pulse?.rows?.last_minute || 0)) },
    { id: "late", of: "feed", label: say("late_tab", count(lists.late.length)) },
    { id: "refused", of: "feed", label: say("refused_tab", count(letters.length)) },
    { id: "requests", of: "feed", label: say("requests_tab") },
  ];
  const title = say("newest");
  const tools = (
    <>
      <Tabs label={title} tabs={tabs} now={tab} choose={(id) => { choose(id); open(null); }} class="fl" />
      <button class="csv" type="button" aria-pressed={isPaused} onClick={() => pause(!isPaused)}>{isPaused ? say("go") : say("pause")}</button>
    </>
  );
  return (
    <Section id="h-t" title={title} panel={arrived} csv={{ refused: "refused", requests: "requests" }[tab] ?? "arrived"} tools={tools} rows={9}>
      {() => (
        <div id="feed" role="tabpanel" aria-labelledby={`tab-${tab}`} onMouseEnter={() => near(true)} onMouseLeave={() => near(false)} onFocusCapture={() => near(true)} onBlurCapture={() => near(false)}>
          {tab === "requests" ? <Requests now={now} isHeld={isPaused} /> : rows.length === 0 ? <p class="s">{say("no_touchpoints")}</p> : (
            <table class="tp">
              <thead><tr><th scope="col">{say("time")}</th><th scope="col" class="c-ch">{say("channel")}</th><th scope="col">{say("touchpoint")}</th><th scope="col">{say("person")}</th><th scope="col">{say("phase")}</th><th scope="col">{say("became")}</th></tr></thead>
              <tbody>
                {rows.map((row) => {
                  const id = row.dead_letter_id || row.touchpoint_id;
                  const shared = { key: id, row, isOpen: opened === id, toggle: () => open(opened === id ? null : id) };
                  return row.dead_letter_id ? <Refused {...shared} /> : <Arrived {...shared} phase={site.phase[row.phase]} />;
                })}
              </tbody>
            </table>
          )}
        </div>
      )}
    </Section>
  );
}
