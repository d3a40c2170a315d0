// Orders and revenue as they add up, beside the span before and what is usual.

import { spanOf, view } from "./address.js";
import { change, count, money, several, when } from "./numbers.js";
import { path, Section } from "./shapes.jsx";
import { say } from "./words.js";

const HEIGHT = 100, END = 0.88;

/** What was ordered and went back, where something did: the net figure beside it is what is left. */
const gross = (row) => (row.refunded > 0 ? `, ${say("gross", money(row.amount, row.currency), money(row.refunded, row.currency))}` : "");

/** A line from nothing to its end, over the first 88 % of the width: the rest names it. */
const added = (values, high) => path([0, ...values], HEIGHT, 0, high).replace(/([ML])([\d.]+),/g, (_, pen, x) => `${pen}${(x * END).toFixed(1)},`);

function Chart({ row, usual, ends }) {
  const often = usual?.net;
  const high = 1.05 * Math.max(row.line.at(-1), row.line_before.at(-1), often?.high || 0, 1);
  const top = (value) => Math.min(92, Math.max(0, 100 - (100 * value) / high - 5));
  const x = 100 * END;
  let [now, before] = [top(row.line.at(-1)), top(row.line_before.at(-1))];
  if (Math.abs(now - before) < 10) { const up = now <= before; now += up ? -5 : 5; before += up ? 5 : -5; }
  return (
    <>
      <div class="chart" role="img" aria-label={say("chart", money(row.net, row.currency), money(row.net_before, row.currency))}>
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
          {often && <path d={`M0,100L${x},${100 - (100 * often.high) / high}L${x},${100 - (100 * often.low) / high}Z`} fill="var(--band)" opacity=".6" />}
          <path class="ln" d={added(row.line_before, high)} stroke="var(--bandline)" stroke-dasharray="4 3" />
          <path class="ln thick" d={added(row.line, high)} stroke="var(--ink)" />
        </svg>
        <span class="q" style={{ right: 0, top: `${before}%` }}>{say("before_word")}</span>
        <span class="strong" style={{ right: 0, top: `${now}%` }}>{say("now")}</span>
      </div>
      <div class="t ends">{ends.map((end) => <span>{end}</span>)}</div>
    </>
  );
}

/** Orders in other currencies: they are never added. */
const Others = ({ rows }) => rows.some((row) => row.orders) && (
  <p class="s">{say("also")} {rows.filter((row) => row.orders).map((row) => (
    <a class="under beside" key={row.currency} href={view({ view: "people", of: "orders", currency: row.currency })}>{money(row.net, row.currency)}, {several("orders", row.orders)}</a>
  ))}</p>
);

export function Orders({ panels, said, now, beforeName }) {
  const { orders, usual_orders: often } = panels;
  const { start, end, length } = spanOf(said, now);
  const title = say("orders");
  const row = orders?.rows?.[0];
  const usual = often?.rows?.find((each) => each.currency === row?.currency);
  const ends = [start, start + length / 2, end].map((at) => when(at, length));
  const who = view({ view: "people", of: "orders", currency: row?.currency });
  return (
    <Section id="h-o" title={title} about={say("orders_q", beforeName, usual?.net ? say("grey_usual") : "")} panel={orders} csv="orders" rows={6}>
      {() => !row ? <p class="s">{say("no_orders")}</p> : (
        <>
          <div class="sum tight">
            <div><a class="big" href={who}>{money(row.net, row.currency)}</a><div class="s">{say("from_before", change(row.net, row.net_before), money(row.net_before, row.currency))}{gross(row)}</div></div>
            <div><a class="big" href={who}>{count(row.orders)}</a><div class="s">{say(row.orders === 1 ? "order_n" : "orders_n", several("people", row.people), change(row.orders, row.orders_before), count(row.orders_before))}</div></div>
            <div><a class="big" href={who}>{row.orders ? money(row.net / row.orders, row.currency) : "–"}</a><div class="s">{row.orders_before ? say("each", say("each_before", money(row.net_before / row.orders_before, row.currency))) : say("each", "–")}</div></div>
          </div>
          <Others rows={orders.rows.slice(1)} />
          <Chart row={row} usual={usual} ends={ends} />
        </>
      )}
    </Section>
  );
}
