// Weak points, and changes of channel.

import { view } from "./address.js";
import { count, duration, share } from "./numbers.js";
import { Mini, Section } from "./shapes.jsx";
import { named, say } from "./words.js";

const FEWEST = 10, MOST = 7;

function per100(part, of) {
  return of < FEWEST ? say("of_n", part, of) : count((100 * part) / of);
}

function Weak({ row, color }) {
  const few = row.people < FEWEST;
  const who = (where) => view({ view: "people", of: "place", what: row.place, where });
  return (
    <tr>
      <td class="long"><a class="pc" style={{ "--c": color }} href={who("")} title={row.place}><span class="cut">{named(row.place)}</span></a></td>
      <td class="nw"><a href={who("abandonment")}><b class={few ? "n100 few" : "n100"}>{per100(row.lost, row.people)}</b></a>{!few && <Mini width share={Math.min(1, row.lost / row.people)} />}</td>
      <td class="num"><a href={who("support")}>{per100(row.support_contacts, row.people)}</a></td>
      <td class="num"><a href={who("complaint")}>{per100(row.complaints, row.people)}</a></td>
      <td class="num c-ti">{row.seconds_lost_per_person >= 1 ? duration(row.seconds_lost_per_person) : "–"}</td>
    </tr>
  );
}

export function WeakPoints({ panel, site }) {
  const title = say("weak");
  const color = (row) => (row.kind === "step" ? (site.steps[row.place.replace(/ \d+$/, "")]?.color ?? site.steps["Checkout Started"]?.color ?? "var(--ink3)") : "var(--ink3)");
  return (
    <Section id="h-w" title={title} about={say("weak_q")} panel={panel} csv="weak" rows={5}>
      {() => panel.rows.length === 0 ? <p class="s">{say("no_weak")}</p> : (
        <>
          <table class="wk">
            <thead><tr><th scope="col">{say("step_or_page")}</th><th scope="col">{say("lost_n")}</th><th scope="col" class="num">{say("asked")}</th><th scope="col" class="num"><abbr title={say("complained_long")}>{say("complained")}</abbr></th><th scope="col" class="num c-ti">{say("time_lost")}</th></tr></thead>
            <tbody>{panel.rows.slice(0, MOST).map((row) => <Weak key={row.kind + row.place} row={row} color={color(row)} />)}</tbody>
          </table>
          <p class="foot">{say("weak_foot")}</p>
        </>
      )}
    </Section>
  );
}

export function Crossings({ panel }) {
  const title = say("crossings");
  const who = (row) => view({ view: "people", of: "crossing", what: row.from_channel, where: row.to_channel });
  return (
    <Section id="h-x" title={title} about="" panel={panel} csv="crossings" rows={3}>
      {() => panel.rows.length === 0 ? <p class="s">{say("no_crossings")}</p> : (
        <table>
          <thead><tr><th scope="col">{say("from_to")}</th><th scope="col" class="num">{say("people")}</th><th scope="col" class="num">{say("median")}</th><th scope="col" class="num">{say("lost_way")}</th></tr></thead>
          <tbody>
            {panel.rows.slice(0, 4).map((row) => (
              <tr key={`${row.from_channel} ${row.to_channel}`}>
                <td><a href={who(row)}>{named(row.from_channel)} → {named(row.to_channel)}</a></td>
                <td class="num"><a href={who(row)}><b>{count(row.people)}</b></a></td><td class="num">{duration(row.median_seconds)}</td><td class="num"><a href={who(row)}>{share(row.lost, row.people).text}</a></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}
