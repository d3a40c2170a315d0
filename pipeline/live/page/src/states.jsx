// When there is nothing to show: no link, another site, a wrong address, no answer.

import { useEffect, useState } from "preact/hooks";
import { view } from "./address.js";
import { say } from "./words.js";

const RETRY_SECONDS = 8;

const Notice = ({ title, text, children }) => (
  <div class="wrap"><div class="notice" role="alert"><h1>{title}</h1><p>{text}</p>{children}</div></div>
);

function Waiting({ again }) {
  const [left, wait] = useState(RETRY_SECONDS);
  useEffect(() => {
    const timer = setTimeout(() => (left > 1 ? wait(left - 1) : (wait(RETRY_SECONDS), again?.())), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  return <Notice title={say("unavailable_title")} text={say("unavailable", left)} />;
}

/** What the server's refusal means: `found` has its word and its detail. */
export function Unknown({ found, said = {}, again }) {
  if (found.error === "no_pass") return <Notice title={say("no_pass_title")} text={say("no_pass")} />;
  if (found.error === "other_site") {
    const first = found.detail.split(", ")[0];
    return <Notice title={say("other_site_title", found.detail)} text={say("other_site", said.site || "–")}><a class="btn chip" href={view({ site: first })}>{say("go_to", first)}</a></Notice>;
  }
  if (found.error === "bad_address") return <Notice title={say("bad_address_title")} text={found.detail}><a class="btn chip" href="/">{say("start_over")}</a></Notice>;
  return <Waiting again={again} />;
}
