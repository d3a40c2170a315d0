// The journey map: phases × channels. Arrow keys walk from cell to cell.

import { view } from "./address.js";
import { brief, count, duration, several, share } from "./numbers.js";
import { MOST_IN_A_ROW } from "./phases.jsx";
import { Section } from "./shapes.jsx";
import { named, say } from "./words.js";

const MOST_CHANNELS = 9, MOST_PAIN = 5, STEPS = 5;

const who = (phase, channel) => view({ view: "people", of: "cell", what: phase, where: channel });

const depth = (people, most) => (people < 10 ? 0.08 : Math.max(0.2, Math.ceil(STEPS * Math.sqrt(people / most)) / STEPS));

function channelsOf(cells) {
  const people = new Map();
  for (const cell of cells) if (cell.channel) people.set(cell.channel, Math.max(people.get(cell.channel) || 0, cell.people));
  const first = ["website", "shop", "newsletter"];
  const rank = (name) => (first.includes(name) ? first.indexOf(name) - 10 : 0);
  return [...people.keys()].sort((a, b) => rank(a) - rank(b) || people.get(b) - people.get(a)).slice(0, MOST_CHANNELS);
}

const Pain = ({ points }) =>
  points > 0 && <span class="pain">{points > MOST_PAIN ? <span class="more">{points}</span> : null}{Array.from({ length: Math.min(points, MOST_PAIN) }, () => <i />)}</span>;

function spoken(cell, phase, on, isRed) {
  let text = say("map_cell", named(cell.channel), phase.label, several("people", cell.people));
  if (on.is !== "few") text += say("map_cell_on", on.text);
  if (isRed) text += say("map_cell_alert");
  return cell.pain_points ? text + say("map_cell_pain", cell.pain_points) : text;
}

function hint(cell, phase) {
  const parts = [cell.median_seconds === null ? "" : duration(cell.median_seconds), cell.satisfaction === null ? "" : say("map_cell_mood", Math.round(cell.satisfaction)), phase.needs, phase.key_moment];
  return parts.filter(Boolean).join("\n");
}

function Cell({ cell, phase, most, isRed, isLast, place }) {
  if (!cell?.people) return <span class="cell none" role="cell">–</span>;
  const on = share(cell.went_on, cell.people);
  const few = on.is === "few";
  return (
    <span role="cell" class="hold">
      <a class={`cell${few ? " few" : ""}${isRed ? " al" : ""}`} data-place={place} href={who(phase.id, cell.channel)} style={{ "--c": phase.color, "--k": depth(cell.people, most) }} aria-label={spoken(cell, phase, on, isRed)} title={hint(cell, phase)}>
        <b>{count(cell.people)}<Pain points={cell.pain_points} /></b>
        {!few && <span class="d"><span class={isRed ? "bad" : ""}>{isRed ? "▼ " : !isLast && <i class="ar">→ </i>}{isLast ? "" : on.text}</span><span>{cell.median_seconds === null ? "" : brief(cell.median_seconds)}</span></span>}
        {on.is === "share" && !isLast && <i class="bar" style={{ width: `${100 * on.value}%` }} />}
      </a>
    </span>
  );
}

/** Go to the nearest cell in the direction of an arrow key. */
function walk(event) {
  const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
  const at = event.target.dataset.place?.split(" ").map(Number);
  if (!by || !at) return;
  for (let [row, column] = [at[0] + by[0], at[1] + by[1]]; row >= 0 && row < 20 && column >= 0 && column < 20; row += by[0], column += by[1]) {
    const next = event.currentTarget.querySelector(`[data-place="${row} ${column}"]`);
    if (next) { next.focus(); break; }
  }
  event.preventDefault();
}

export function JourneyMap({ panels, site }) {
  const { map: panel, alerts } = panels;
  const title = say("map");
  const red = (alerts?.rows || []).filter((each) => each.state === "firing" && each.kind === "conversion");
  const isRed = (channel, phase) => red.some((each) => site.steps[each.step]?.id === phase && (each.dimension === "channel" ? each.value === channel : channel === "shop"));
  return (
    <Section id="h-m" title={title} about={say("map_q")} panel={panel} csv="map" rows={8}>
      {() => {
        const channels = channelsOf(panel.rows);
        if (!channels.length) return <p class="s">{say("map_empty")}</p>;
        const most = Math.max(...panel.rows.filter((cell) => cell.channel).map((cell) => cell.people));
        const find = (channel, phase) => panel.rows.find((cell) => cell.channel === channel && cell.phase === phase);
        return (
          <>
            <div class={site.phases.length > MOST_IN_A_ROW ? "map many" : "map"} role="table" aria-labelledby="h-m" style={{ "--n": site.phases.length }} onKeyDown={walk}>
              <div role="row" class="line">
                <span class="corner" role="columnheader"><span class="hidden">{say("channel")}</span></span>
                {site.phases.map((phase) => <span class="ph0" role="columnheader" style={{ "--c": phase.color }}>{phase.label}</span>)}
              </div>
              {channels.map((channel, row) => (
                <div role="row" class="line" key={channel}>
                  <span class="ch" role="rowheader">{named(channel)}</span>
                  {site.phases.map((phase, column) => <Cell key={phase.id} {...{ phase, most }} cell={find(channel, phase.id)} isRed={isRed(channel, phase.id)} isLast={column === site.phases.length - 1} place={`${row} ${column}`} />)}
                </div>
              ))}
            </div>
            <div class="key">
              <span>{say("map_key_depth")}</span><span><i class="key-bar" />{say("map_key_bar")}</span>
              <span><span class="pain"><i /><i /></span>{say("map_key_pain")}</span><span>{say("map_key_few")}</span>{red.length > 0 && <span>{say("map_key_alert")}</span>}
            </div>
          </>
        );
      }}
    </Section>
  );
}
