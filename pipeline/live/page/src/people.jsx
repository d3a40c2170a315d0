// The people behind a number, the latest first.

import { api, view } from "./address.js";
import { clock, count, dated, money, pseudonym, sameDay, several } from "./numbers.js";
import { Csv, Loading, Phase } from "./shapes.jsx";
import { Unknown } from "./states.jsx";
import { useAnswer } from "./stream.js";
import { walked } from "./person.jsx";
import { capital, knows, named, say } from "./words.js";

const ENDS = {
  lost: "lost_n", abandonment: "lost_n", support: "asked", complaint: "complained_long", waiting: "at_stake", won: "won_7d",
  delivered: "delivered", opened: "opened", clicked: "clicked", carts: "carts", orders: "ordered", unsubscribed: "left_list",
};

/** What the number is called that these people stand behind. */
export function titleOf(said, site) {
  const { of, what = "", where = "" } = said;
  const name = of === "phase" || of === "cell" ? site.phase[what]?.label || what : of === "left" && knows(`kind_${what}`) ? say(`kind_${what}`) : of === "kpi" ? what.replaceAll("_", " ") : named(what);
  const more = of === "crossing" ? ` → ${named(where)}` : ENDS[where] ? `: ${say(ENDS[where]).toLowerCase()}` : where ? `, ${named(where)}` : "";
  const bare = { orders: say("orders_word"), left: say("left_behind") };
  const title = (what ? name : bare[of] || named(of || "")) + more;
  return capital(title);
}

function Row({ row, site, now }) {
  const at = row.last_at;
  return (
    <tr>
      <td class="mono"><a class="under" href={view({ view: "person", person: row.person_id })}>{pseudonym(row.person_id)}</a></td>
      <td><Phase phase={site.phase[row.phase]} /></td>
      <td class="nw">{sameDay(at, new Date(now).toISOString()) ? clock(at) : dated(at)}</td>
      <td class="num c-ti">{count(row.sessions)}</td>
      <td class="num c-ti">{count(row.touchpoints)}</td>
      <td class="c-ti">{row.channels.map(named).join(", ")}</td>
      <td class="num">{row.orders ? money(row.revenue, row.currency) : "–"}{row.orders > 1 && <div class="t">{several("orders", row.orders)}</div>}</td>
      <td class="num">{row.at_stake > 0 ? <b>{money(row.at_stake, row.stake_currency)}</b> : "–"}</td>
      <td class="c-ti">{row.step ? named(row.step) : ""}{row.cause && <span class="q"> {knows(`cause_${row.cause}`) ? say(`cause_${row.cause}`) : row.cause}</span>}</td>
    </tr>
  );
}

export function People({ said, site, now, mark }) {
  const asked = { of: said.of, what: said.what, where: said.where, currency: said.currency };
  const found = useAnswer(api("people", asked), mark);
  if (found.error) return <Unknown found={found} />;
  const people = found.answer?.people;
  const title = titleOf(said, site);
  if (people) Object.assign(walked, { list: people.map((each) => each.person_id), of: view({ view: "people", ...asked }), title });
  const head = ["person", "phase", "last_seen"], numbers = ["sessions", "touchpoints"], end = ["bought", "at_stake"];
  return (
    <div class="wrap">
      <div class="row">
        <section aria-labelledby="h-pe">
          <p class="q crumbs"><a class="under" href={view({})}>{say("live_page")}</a> / {title}</p>
          <div class="hd">
            <h1 id="h-pe" class="who">{title}</h1>
            <span class="q">{people ? [several("people", found.answer.total), found.answer.total > people.length && say("newest_of", count(people.length), count(found.answer.total))].filter(Boolean).join(", ") : ""}</span>
            <Csv of="people" more={asked} title={title} />
          </div>
          {!people ? <Loading rows={9} /> : !people.length ? <p class="s">{say("nobody")}</p> : (
            <table class="pe">
              <thead><tr>
                {head.map((word) => <th scope="col">{say(word)}</th>)}{numbers.map((word) => <th scope="col" class="num c-ti">{say(word)}</th>)}<th scope="col" class="c-ti">{say("channels")}</th>
                {end.map((word) => <th scope="col" class="num">{say(word)}</th>)}<th scope="col" class="c-ti">{say("stands_at")}</th>
              </tr></thead>
              <tbody>{people.map((row) => <Row key={row.person_id} {...{ row, site, now }} />)}</tbody>
            </table>
          )}
        </section>
      </div>
    </div>
  );
}
