// What was sent in the last minutes, request by request, and what became of it: for whoever embeds
// an SDK. The collector is asked while this is looked at.

import { useRef, useState } from "preact/hooks";
import { api } from "./address.js";
import { count, second } from "./numbers.js";
import { CROSS, DOT, Fate, HALF, Loading, RING } from "./shapes.jsx";
import { useAnswer } from "./stream.js";
import { named, reason, say } from "./words.js";

const EVERY_MS = 3000, MOST = 12;

function became(touchpoint) {
  const notes = touchpoint.notes.filter((note) => note !== "bot").map((note) => say(`note_${note}`));
  const isBot = touchpoint.became === "bot" || (!touchpoint.became && touchpoint.is_bot);
  return [isBot ? say("a_bot") : say(`became_${touchpoint.became}`), ...notes].join(" · ");
}

function outcome(row) {
  if (row.outcome === "taken") return <Fate shape={DOT}>{[...new Set(row.touchpoints.map(became))].join(", ") || say("request_taken")}</Fate>;
  if (row.outcome === "unavailable") return <Fate shape={RING}>{say("request_unavailable")}</Fate>;
  if (row.outcome === "turned_away") return <Fate shape={CROSS}><b>{reason(row.error)}</b></Fate>;
  const why = [...new Set(row.refused.map((each) => reason(each.error)))].join(", ");
  if (row.outcome === "partly") return <Fate shape={HALF}><b>{say("request_partly", count(row.accepted), why)}</b></Fate>;
  return <Fate shape={CROSS}><b>{why}</b></Fate>;
}

const Touchpoint = ({ row }) => (
  <li>
    <b>{named(row.name)}</b> {second(row.occurred_at)} <span class="mono q">{row.user_id || row.anonymous_id || say("no_id")} · {row.touchpoint_id}</span> {became(row)}
  </li>
);

const Why = ({ row }) => <><b>{reason(row.error)}.</b> <span class="mono">{row.error}</span> <span lang="en">{row.detail}</span></>;

function Request({ row, isOpen, toggle }) {
  const names = row.touchpoints.map((each) => named(each.name));
  const what = [...new Set(names)].slice(0, 3).join(", ");
  return (
    <>
      <tr>
        <td>{second(row.at)}</td>
        <td class="c-ch mono">{row.origin || row.network}</td>
        <td><button type="button" class="plain" aria-expanded={isOpen} aria-label={say("open_request", row.path, second(row.at))} onClick={toggle}><span class="mono">{row.path}</span>{what && <span class="q"> {what}</span>}</button></td>
        <td class="c-fa">{outcome(row)}</td>
      </tr>
      {isOpen && (
        <tr class="open"><td colspan="4">
          {row.error && <p><Why row={row} /></p>}
          <ul class="sent">
            {row.touchpoints.map((each) => <Touchpoint row={each} />)}
            {row.refused.map((each) => <li><Why row={each} /> <span class="q">#{each.index}</span></li>)}
          </ul>
        </td></tr>
      )}
    </>
  );
}

export function Requests({ now, isHeld }) {
  const [opened, open] = useState(null);
  const mark = useRef(0);
  if (!isHeld && opened === null) mark.current = Math.floor(now / EVERY_MS);
  const found = useAnswer(api("requests"), mark.current);
  if (found.error) return <p class="s">{found.detail ? say("no_collector", found.detail) : say("panel_unavailable", EVERY_MS / 1000)}</p>;
  if (!found.answer) return <Loading rows={9} />;
  const rows = found.answer.requests.slice(0, MOST);
  if (!rows.length) return <p class="s">{say("no_requests")}</p>;
  const idOf = (row) => `${row.at} ${row.path}`;
  return (
    <>
      <table class="tp rq">
        <thead><tr><th scope="col">{say("time")}</th><th scope="col" class="c-ch">{say("sent_from")}</th><th scope="col">{say("request")}</th><th scope="col">{say("became")}</th></tr></thead>
        <tbody>{rows.map((row) => <Request key={idOf(row)} row={row} isOpen={opened === idOf(row)} toggle={() => open(opened === idOf(row) ? null : idOf(row))} />)}</tbody>
      </table>
      <p class="foot">{say("requests_foot")}</p>
    </>
  );
}
