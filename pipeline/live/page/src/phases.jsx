// How many people are where: one bar of all, then a figure for each phase. The colour key.

import { view } from "./address.js";
import { count, duration, several, share } from "./numbers.js";
import { Phase, Section, Spark } from "./shapes.jsx";
import { say } from "./words.js";

export const MOST_IN_A_ROW = 6;

const who = (phase) => view({ view: "people", of: "phase", what: phase });

function About({ row, isLast }) {
  if (!row?.came) return null;
  const on = share(row.went_on, row.came);
  const parts = [on.is === "few" || isLast ? "" : say("go_on_short", on.text), row.median_seconds === null ? "" : duration(row.median_seconds)];
  return <span class="x">{parts.filter(Boolean).join(" · ")}</span>;
}

export function Phases({ panel, site, said }) {
  const title = say("how_many");
  const found = (id) => panel.rows.find((row) => row.phase === id);
  const total = (panel?.rows || []).reduce((all, row) => all + row.people, 0);
  const lines = say(said.from ? "lines_own" : `lines_${said.span || "1h"}`);
  return (
    <Section id="h-p" title={title} about={panel?.rows ? say("phases_q", several("people", total), lines) : ""} panel={panel} csv="phases" rows={2}>
      {() => (
        <>
          <div class="prop" aria-hidden="true">{site.phases.map((phase) => <i style={{ "--c": phase.color, flex: found(phase.id)?.people || 0 }} />)}</div>
          <div class={site.phases.length > MOST_IN_A_ROW ? "ph many" : "ph"} style={{ "--n": site.phases.length }}>
            {site.phases.map((phase, place) => (
              <a key={phase.id} href={who(phase.id)} style={{ "--c": phase.color }}>
                <div class="l"><Phase phase={phase} /><About row={found(phase.id)} isLast={place === site.phases.length - 1} /></div>
                <div class="m"><span class="big">{count(found(phase.id)?.people || 0)}</span><Spark values={found(phase.id)?.line || [0, 0]} color={phase.color} least={4} /></div>
              </a>
            ))}
          </div>
        </>
      )}
    </Section>
  );
}
