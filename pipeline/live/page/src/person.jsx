// One person: what is known, the timeline, the touchpoints, and how the ids were linked.

import { useEffect } from "preact/hooks";
import { api, view } from "./address.js";
import { clock, count, dated, duration, money, pseudonym, second, several } from "./numbers.js";
import { Loading, Phase, Section } from "./shapes.jsx";
import { Unknown } from "./states.jsx";
import { useAnswer } from "./stream.js";
import { detail } from "./feed.jsx";
import { linkWords, Timeline } from "./timeline.jsx";
import { knows, named, say } from "./words.js";

const MOST = 60;

/** The people of the list that one came from, to walk on by `[` and `]`. */
export const walked = { list: [], of: "", title: "" };

const neighbour = (id, by) => {
  const place = walked.list.indexOf(id);
  return place < 0 ? undefined : walked.list[place + by];
};

const link = (person) => view({ view: "person", person });

function useKeys(id, go) {
  useEffect(() => {
    const press = (event) => {
      const by = { "[": -1, "]": 1 }[event.key];
      const next = by && neighbour(id, by);
      if (next && !/INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) go(link(next));
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [id]);
}

const Fact = ({ name, value, more }) => <div><dt>{name}</dt><dd>{value}<small>{more}</small></dd></div>;

function Facts({ person, site, now }) {
  const { visits, touchpoints, moves, left } = person;
  const move = moves.at(-1), last = touchpoints.at(-1), open = left.filter((each) => !each.recovered_at && each.value > 0).at(-1);
  const orders = visits.reduce((all, each) => all + each.orders, 0), revenue = visits.reduce((all, each) => all + each.revenue, 0);
  const currency = visits.find((each) => each.revenue && each.currency)?.currency || "";
  const ids = person.links.reduce((all, each) => all + each.identifiers, 0);
  const channels = new Set(touchpoints.map((each) => each.channel)).size;
  return (
    <dl class="facts">
      <Fact name={say("phase_now")} value={<Phase phase={site.phase[move?.to_phase]} />} more={move ? say("cycle_since", move.cycle, dated(move.at)) : ""} />
      <Fact name={say("at_stake")} value={open ? money(open.value, open.currency) : "–"} more={open ? say("left_after", say(`kind_${open.kind}`)) : say("nothing_at_stake")} />
      <Fact name={say("stands_at")} value={last ? named(last.name) : "–"} more={last ? say("since_then", duration(Math.max(0, (now - Date.parse(last.occurred_at)) / 1000))) : ""} />
      <Fact name={say("journey")} value={last ? duration((Date.parse(last.occurred_at) - Date.parse(touchpoints[0].occurred_at)) / 1000) : "–"} more={visits.length === 1 ? say("one_session", channels) : say("n_sessions", count(visits.length), channels)} />
      <Fact name={say("bought_so_far")} value={revenue ? money(revenue, currency) : "–"} more={several("orders", orders)} />
      <Fact name={say("known_by")} value={ids === 1 ? say("one_id") : ids ? say("n_ids", ids) : say("not_linked")} more={person.devices > 1 ? say("n_devices", person.devices) : say("one_device")} />
    </dl>
  );
}

/** What a touchpoint meant for the journey, in a few words. */
function meaning(seen, person, site) {
  const words = [];
  const move = person.moves.find((each) => each.touchpoint_id === seen.touchpoint_id);
  const visit = person.visits.findIndex((each) => each.session_id === seen.session_id);
  if (move) words.push(move.from_phase ? `${site.phase[move.from_phase]?.label} → ${site.phase[move.to_phase]?.label}` : site.phase[move.to_phase]?.label);
  if (visit >= 0 && person.visits[visit].started_at === seen.occurred_at) words.push(say("opened_session", visit + 1));
  for (const each of person.left.filter((one) => one.last_touchpoint_id === seen.touchpoint_id)) words.push(say("left_after", say(`kind_${each.kind}`)) + (each.recovered_at ? `, ${say("recovered")}` : ""));
  if (seen.is_late) words.push(say("too_late"));
  return words.join(" · ");
}

function Touchpoints({ person, site, now }) {
  const rows = person.touchpoints.slice(-MOST).reverse();
  const length = rows.length ? now - Date.parse(rows.at(-1).occurred_at) : 0;
  return (
    <Section id="h-all" title={say("all_touchpoints")} about={person.touchpoints.length > MOST ? say("newest_of", MOST, count(person.touchpoints.length)) : ""} csv="person" more={{ person: person.person_id }}>
      {() => (
        <table class="tp">
          <thead><tr><th scope="col">{say("time")}</th><th scope="col" class="c-ch">{say("channel")}</th><th scope="col">{say("touchpoint")}</th><th scope="col">{say("phase")}</th><th scope="col">{say("meant")}</th></tr></thead>
          <tbody>
            {rows.map((seen) => (
              <tr key={seen.touchpoint_id}>
                <td class="nw">{length < 72e6 ? second(seen.occurred_at) : dated(seen.occurred_at)}</td><td class="c-ch">{seen.channel}</td>
                <td>{seen.name} <span class="q">{detail(seen)}</span></td>
                <td class="c-ph"><Phase phase={site.phase[seen.phase]} /></td><td class="c-fa">{meaning(seen, person, site)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

function Links({ person }) {
  const words = linkWords();
  const first = (device) => person.visits.find((each) => each.device_number === device);
  const numbers = Array.from({ length: person.devices }, (_, n) => n + 1);
  return (
    <Section id="h-l" title={say("how_linked")} csv="links" more={{ person: person.person_id }}>
      {() => (
        <>
          <table>
            <tbody>
              {numbers.slice(0, 12).map((device) => {
                const visit = first(device);
                const kinds = person.links.filter((each) => each.device_number === device).map((each) => words[each.kind] || each.kind);
                return <tr><td class="mono">{named("device")}·{device}</td><td>{[visit?.device && named(visit.device), visit && say("first_seen", dated(visit.started_at)), ...kinds].filter(Boolean).join(", ") || "–"}</td></tr>;
              })}
            </tbody>
          </table>
          <p class="foot">{say("links_foot")}</p>
        </>
      )}
    </Section>
  );
}

function Crumbs({ id }) {
  const place = walked.list.indexOf(id);
  return (
    <p class="q crumbs">
      <a class="under" href={view({})}>{say("live_page")}</a>
      {place >= 0 && <> / <a class="under" href={walked.of}>{walked.title}</a> / {say("n_of_m", place + 1, count(walked.list.length))}</>}
    </p>
  );
}

export function Person({ said, site, now, go, mark }) {
  const found = useAnswer(api("person", { person: said.person }), mark);
  useKeys(said.person, go);
  if (found.error) return <Unknown found={found} />;
  const person = found.answer;
  const [before, next] = [neighbour(said.person, -1), neighbour(said.person, 1)];
  return (
    <div class="wrap">
      <div class="row bare">
        <section aria-labelledby="h-who">
          <Crumbs id={said.person} />
          <div class="hd">
            <h1 class="mono who" id="h-who">{pseudonym(said.person)}</h1><span class="q">{say("pseudonym")}</span>
            {before && <a class="btn chip" href={link(before)}>{say("previous")}</a>}{next && <a class="btn chip" href={link(next)}>{say("next")}</a>}
          </div>
          {person && <Facts {...{ person, site, now }} />}
        </section>
      </div>
      {!person ? <Loading rows={6} /> : person.touchpoints.length === 0 ? <p class="s">{say("nobody_known")}</p> : (
        <>
          <div class="row"><Section id="h-tl" title={say("across")} about={say("across_q")}>{() => <Timeline {...{ person, site, now }} />}</Section></div>
          <div class="row c84"><Touchpoints {...{ person, site, now }} /><Links person={person} /></div>
        </>
      )}
    </div>
  );
}
