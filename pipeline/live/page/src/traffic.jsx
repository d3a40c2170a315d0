// What brings visits, what people look at, and what became of each mailing.

import { view, to } from "./address.js";
import { change, count, money, share } from "./numbers.js";
import { Area, Mini, Section, smooth, Tabs } from "./shapes.jsx";
import { named, say } from "./words.js";

const DIMENSIONS = ["source", "page", "campaign", "newsletter", "device", "country"];
const MOST_LINES = 6, MOST_ROWS = 8;

const who = (dimension, value) => view({ view: "people", of: dimension, what: value });

function shown(dimension, value) {
  if (dimension !== "country") return dimension === "page" ? value : named(value);
  try {
    return new Intl.DisplayNames([document.documentElement.lang], { type: "region" }).of(value);
  } catch {
    return value;
  }
}

function Lines({ rows }) {
  const lines = rows.slice(0, MOST_LINES).map((row) => ({ row, now: smooth(row.line), before: smooth(row.line_before) }));
  const high = Math.max(1, ...lines.flatMap((each) => [...each.now, ...each.before]));
  return (
    <div class="sm">
      {lines.map(({ row, now, before }) => {
        const orders = share(row.orders, row.visits);
        return (
          <a key={row.value} href={who(row.dimension, row.value)}>
            <div class="n"><span class="cut">{shown(row.dimension, row.value)}</span><b>{count(row.visits)}</b></div>
            <Area values={now} before={before} high={high} />
            <div class="t">{change(row.visits, row.before)}{row.dimension !== "page" && orders.is !== "few" && ` · ${say("order_share", orders.text)}`}</div>
          </a>
        );
      })}
    </div>
  );
}

function Pages({ rows }) {
  const most = Math.max(1, ...rows.map((row) => row.visits));
  return (
    <table>
      <tbody>
        {rows.slice(0, MOST_ROWS).map((row) => (
          <tr key={row.value}>
            <td class="long"><a href={who(row.dimension, row.value)}><span class="cut wide">{shown(row.dimension, row.value)}</span></a></td>
            <td><Mini share={row.visits / most} /></td>
            <td class="num"><b>{count(row.visits)}</b></td>
            <td class="num">{change(row.visits, row.before)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Mailings({ rows }) {
  if (!rows?.length) return <p class="s">{say("no_mail")}</p>;
  const of = (row, where) => <a href={view({ view: "people", of: "mailing", what: row.campaign, where })}>{count(row[where])}</a>;
  const part = (n, row) => { const found = share(n, row.delivered); return found.is === "few" ? "" : found.text; };
  return (
    <>
      <table>
        <thead><tr><th scope="col">{say("mailing")}</th>{["delivered", "opened", "clicked", "carts", "ordered", "left_list"].map((word) => <th scope="col" class="num">{say(word)}</th>)}</tr></thead>
        <tbody>
          {rows.slice(0, MOST_ROWS).map((row) => (
            <tr key={row.campaign}>
              <td class="long"><a href={view({ view: "people", of: "mailing", what: row.campaign })}><span class="cut">{row.title || row.campaign}</span></a></td>
              <td class="num"><b>{of(row, "delivered")}</b></td>
              <td class="num">{of(row, "opened")}<div class="t">{row.opened_by_machines ? say("by_machine", count(row.opened_by_machines)) : part(row.opened, row)}</div></td>
              <td class="num">{of(row, "clicked")}<div class="t">{part(row.clicked, row)}</div></td>
              <td class="num">{of(row, "carts")}</td>
              <td class="num">{of(row, "orders")}<div class="t">{row.net === null ? say("several_currencies") : row.orders ? money(row.net, row.currency) : ""}{row.amount > row.net && ` ${say("of_gross", money(row.amount, row.currency))}`}</div></td>
              <td class="num">{of(row, "unsubscribed")}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="foot">{say("mail_foot")}</p>
    </>
  );
}

export function Traffic({ panels, said, beforeName, go }) {
  const { traffic, mailings } = panels;
  const dimension = DIMENSIONS.includes(said.traffic) ? said.traffic : "source";
  const title = say("traffic");
  const rows = (traffic?.rows || []).filter((row) => row.dimension === dimension && row.visits);
  const tabs = DIMENSIONS.map((id) => ({ id, of: "traffic", label: say(id) }));
  const tools = <Tabs label={title} tabs={tabs} now={dimension} choose={(id) => go(to({ traffic: id === "source" ? "" : id }), { replace: true })} class="fl" />;
  return (
    <Section id="h-s" title={title} panel={dimension === "newsletter" ? mailings : traffic} csv={dimension === "newsletter" ? "mailings" : "traffic"} tools={tools} rows={7}>
      {() => (
        <div id="traffic" role="tabpanel" aria-labelledby={`tab-${dimension}`}>
          {dimension === "newsletter" ? <Mailings rows={mailings.rows} />
            : rows.length === 0 ? <p class="s">{say("no_traffic")}</p>
            : <>{dimension === "page" ? <Pages rows={rows} /> : <Lines rows={rows} />}<p class="foot">{say(dimension === "page" ? "views_foot" : "traffic_foot", beforeName)}</p></>}
        </div>
      )}
    </Section>
  );
}
