// Nothing has arrived yet: how to begin, a test, and waiting for the first touchpoint.

import { useEffect, useState } from "preact/hooks";
import { duration } from "./numbers.js";
import { named, reason, say } from "./words.js";

const Step = ({ number, last, children }) => <div class={last ? "step last" : "step"} role={last ? "status" : undefined}><span class="no" aria-hidden="true">{number}</span><div>{children}</div></div>;

function Tag({ site }) {
  const [isCopied, copied] = useState(false);
  if (!site.tag) return <p class="s">{say("no_key")}</p>;
  return (
    <>
      <pre tabindex="0">{site.tag.replace(" data-key", "\n  data-key")}</pre>
      <button class="btn" type="button" onClick={() => navigator.clipboard?.writeText(site.tag).then(() => copied(true))}>{isCopied ? say("copied") : say("copy")}</button> <span class="q beside">{say("key_public")}</span>
    </>
  );
}

/** One page view, as the beacon would send it, of a visitor that counts as a bot. */
async function sendTest(site) {
  const call = {
    type: "page", messageId: `test-${crypto.randomUUID()}`, anonymousId: "touchstream-test", timestamp: new Date().toISOString(),
    properties: { test: true }, context: { userAgent: "TouchstreamTest/1.0 (bot)", page: { url: `https://${site.site}/touchstream-test`, title: "Touchstream test" } },
  };
  const body = JSON.stringify({ batch: [call], sentAt: new Date().toISOString() });
  const headers = { "Content-Type": "application/json", Authorization: `Basic ${btoa(`${site.write_key}:`)}` };
  const response = await fetch(`${site.collector}/v1/batch`, { method: "POST", headers, body });
  if (!response.ok) throw new Error(`${response.status} ${(await response.text()).slice(0, 200)}`);
}

function Test({ site }) {
  const [said, tell] = useState("");
  if (!site.write_key) return null;
  const send = () => sendTest(site).then(() => tell(say("test_sent")), (error) => tell(say("test_failed", site.collector, error.message)));
  return <><button class="btn p" type="button" onClick={send}>{say("send_test")}</button> <span class="q beside" role="status">{said}</span></>;
}

const Ghost = ({ site }) => (
  <section class="ghost" aria-labelledby="h-g">
    <div class="hd"><h2 id="h-g">{say("will_stand")}</h2></div>
    {site.funnel.map((step) => (
      <div class="gf" style={{ "--c": site.steps[step.name].color }}><span class="nm">{named(step.name)}</span><div class="gb">{say("after_step", step.name === "Page Viewed" ? say("visit") : named(step.name))}</div></div>
    ))}
    <div class="gm" aria-hidden="true" style={{ "--n": site.phases.length }}>
      <span />{site.phases.map((phase) => <span class="ph0" style={{ "--c": phase.color }}>{phase.label}</span>)}
      {["website", "shop", "newsletter"].map((channel) => <><b>{named(channel)}</b>{site.phases.map(() => <i />)}</>)}
    </div>
    <p class="foot">{say("ghost_foot")}</p>
  </section>
);

export function Empty({ site, panels }) {
  const [began] = useState(Date.now());
  const [now, tick] = useState(Date.now());
  useEffect(() => { const timer = setInterval(() => tick(Date.now()), 5000); return () => clearInterval(timer); }, []);
  const letters = panels.refused?.rows || [];
  return (
    <div class="wrap">
      <div class="em">
        <section aria-labelledby="h-e">
          <h1 id="h-e">{say("empty_title", site.site)}</h1>
          <p class="lead">{say("empty_lead")}</p>
          <Step number="1"><b>{say("put_tag")}</b><Tag site={site} /></Step>
          <Step number="2"><b>{say("or_try")}</b><p class="s try">{say("try_lead")}</p><Test site={site} /></Step>
          <Step number="3" last>
            <div class="wait"><span class="dot beat" />{say("waiting_first")}</div>
            <p class="s">{say("listening_for", duration(Math.round((now - began) / 1000)), panels.arrived?.rows?.length || 0, letters.length)}</p>
            {letters.slice(0, 3).map((row) => <p class="s" key={row.dead_letter_id}><b>{reason(row.reason)}</b>: <span lang="en">{row.detail}</span></p>)}
          </Step>
          <p class="foot">{say("still_nothing", site.collector)}</p>
        </section>
        <Ghost site={site} />
      </div>
    </div>
  );
}
