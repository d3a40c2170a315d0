// What it costs: what was left behind, by kind.

import { view } from "./address.js";
import { count, money, share, span } from "./numbers.js";
import { Mini, Section } from "./shapes.jsx";
import { knows, named, say } from "./words.js";

const KINDS = ["checkout", "cart", "browse", "form", "newsletter", "journey"];

const who = (what, where = "") => view({ view: "people", of: "left", what, where });

function sums(rows) {
  const open = rows.filter((row) => row.at_stake > 0);
  const currency = open[0]?.currency || rows.find((row) => row.currency)?.currency || "";
  const alike = rows.filter((row) => !row.currency || row.currency === currency);
  const sum = (name) => alike.reduce((all, row) => all + row[name], 0);
  return { currency, atStake: sum("at_stake"), won: sum("won"), wonPeople: sum("won_people"), waiting: open.reduce((all, row) => all + row.waiting, 0) };
}

function cause(row) {
  if (row.cause) return knows(`cause_${row.cause}`) ? say(`cause_${row.cause}`) : named(row.cause);
  return row.step ? say("mostly_at", named(row.step)) : "";
}

function Back({ row }) {
  const won = share(row.recovered_of_week, row.of_week);
  const bar = won.is === "range" ? <Mini from={won.low} share={won.high - won.low} faint /> : <Mini share={won.is === "share" ? won.value : 0} />;
  return <td class="num">{won.text}<div>{bar}</div></td>;
}

function Row({ row, usual, alert }) {
  return (
    <tr>
      <td><a href={who(row.kind)}><b>{say(`kind_${row.kind}`)}</b></a><div class="t">{cause(row)}</div></td>
      <td class="num"><a href={who(row.kind)}><b class={alert ? "bad" : ""}>{alert && "▲ "}{count(row.people)}</b></a>{usual && <div class="t">{say("usual")} {span(usual.low, usual.high)}</div>}</td>
      <td class="num">{row.at_stake > 0 ? <a href={who(row.kind, "waiting")}><b>{money(row.at_stake, row.currency)}</b></a> : <b>–</b>}</td>
      <Back row={row} />
    </tr>
  );
}

export function Cost({ panels, spanName }) {
  const { abandoned, usual_abandoned: often, alerts } = panels;
  const title = say("what_cost");
  return (
    <Section id="h-a" title={title} about={say("left_now", spanName)} panel={abandoned} csv="abandoned" rows={8}>
      {() => {
        const rows = [...abandoned.rows].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
        const all = sums(rows);
        const red = (kind) => alerts?.rows?.some((each) => each.state === "firing" && each.kind === "abandonment" && each.step === kind);
        return (
          <>
            <div class="sum">
              <div><a class="big" href={who("", "waiting")}>{money(all.atStake, all.currency)}</a><div class="t">{say("in_carts", count(all.waiting))}</div></div>
              <div><a class="big" href={view({ view: "people", of: "won" })}>{money(all.won, all.currency)}</a><div class="t">{say("won_back", count(all.wonPeople))}</div></div>
            </div>
            {rows.length === 0 ? <p class="s">{say("nothing_left")}</p> : (
              <table class="ab">
                <thead><tr><th scope="col">{say("kind_cause")}</th><th scope="col" class="num">{say("people")}</th><th scope="col" class="num">{say("at_stake")}</th><th scope="col" class="num">{say("won_7d")}</th></tr></thead>
                <tbody>{rows.map((row) => <Row key={row.kind} row={row} alert={red(row.kind)} usual={often?.rows?.find((each) => each.kind === row.kind)?.usual} />)}</tbody>
              </table>
            )}
          </>
        );
      }}
    </Section>
  );
}
