// What it costs: what was left behind, by kind.

import { view } from "./address.js";
import { count, money, several, share, span } from "./numbers.js";
import { Mini, Section } from "./shapes.jsx";
import { knows, named, say } from "./words.js";

const KINDS = ["checkout", "cart", "browse", "form", "newsletter", "journey"];

const who = ({ kind, currency }, where = "") => view({ view: "people", of: "left", what: kind, where, currency });

const NOTHING = { kind: "", currency: "", at_stake: 0, waiting: 0, won: 0, won_people: 0 };

/** Other currencies are never added. */
const Others = ({ rows, of, where }) => rows.filter((row) => row[of] > 0).map((row) => <a class="under beside" key={row.currency} href={who(row, where)}>+ {money(row[of], row.currency)}</a>);

function cause(row, site) {
  const step = row.kind === "journey" ? site.phase[row.step]?.label || named(row.step) : named(row.step);
  if (row.cause) return knows(`cause_${row.cause}`) ? say(`cause_${row.cause}`) : named(row.cause);
  return row.step ? say("mostly_at", step) : "";
}

function Back({ row }) {
  const won = share(row.recovered_of_week, row.of_week); // of the week, not of the span: no link
  const bar = won.is === "range" ? <Mini from={won.low} share={won.high - won.low} faint /> : <Mini share={won.is === "share" ? won.value : 0} />;
  return <td class="num">{won.text}<div>{bar}</div></td>;
}

/** Its kind; of several of one kind also what tells them apart. */
function kind(row, isOne) {
  const name = say(`kind_${row.kind}`);
  return isOne ? name : `${name}, ${row.currency || say("without_cart")}`;
}

function Row({ row, isOne, site, usual, alert }) {
  return (
    <tr>
      <td><a href={who(row)}><b>{kind(row, isOne)}</b></a><div class="t">{cause(row, site)}</div></td>
      <td class="num"><a href={who(row)}><b class={alert ? "bad" : ""}>{alert && "▲ "}{count(row.people)}</b></a>{usual && <div class="t">{say("usual")} {span(usual.low, usual.high)}</div>}</td>
      <td class="num">{row.at_stake > 0 ? <a href={who(row, "waiting")}><b>{money(row.at_stake, row.currency)}</b></a> : <b>–</b>}</td>
      <Back row={row} />
    </tr>
  );
}

export function Cost({ panels, site, spanName }) {
  const { abandoned, usual_abandoned: often, alerts } = panels;
  const title = say("what_cost");
  return (
    <Section id="h-a" title={title} about={say("left_now", spanName)} panel={abandoned} csv="abandoned" rows={8}>
      {() => {
        const rows = abandoned.rows.filter((row) => row.kind).sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
        const [all = NOTHING, ...others] = abandoned.rows.filter((row) => !row.kind);
        const red = (kind) => alerts?.rows?.some((each) => each.state === "firing" && each.kind === "abandonment" && each.step === kind);
        return (
          <>
            <div class="sum">
              <div><a class="big" href={who(all, "waiting")}>{money(all.at_stake, all.currency)}</a><Others rows={others} of="at_stake" where="waiting" /><div class="t">{say("in_carts", several("people", all.waiting))}</div></div>
              <div><a class="big" href={who(all, "won")}>{money(all.won, all.currency)}</a><Others rows={others} of="won" where="won" /><div class="t">{say("won_back", several("people", all.won_people))}</div></div>
            </div>
            {rows.length === 0 ? <p class="s">{say("nothing_left")}</p> : (
              <table class="ab">
                <thead><tr><th scope="col">{say("kind_cause")}</th><th scope="col" class="num">{say("people")}</th><th scope="col" class="num">{say("at_stake")}</th><th scope="col" class="num">{say("won_7d")}</th></tr></thead>
                <tbody>{rows.map((row) => <Row key={row.kind + row.currency} row={row} isOne={rows.filter((each) => each.kind === row.kind).length === 1} site={site} alert={red(row.kind)} usual={often?.rows?.find((each) => each.kind === row.kind && each.currency === row.currency)?.usual} />)}</tbody>
              </table>
            )}
          </>
        );
      }}
    </Section>
  );
}
