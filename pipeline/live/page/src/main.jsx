// The page: what is looked at, the stream of what changes, and which view of it.

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, FILTERS, followLinks, go, spanOf, useAddress } from "./address.js";
import { Alerts } from "./alert.jsx";
import { Cost } from "./cost.jsx";
import { Empty } from "./empty.jsx";
import { Feed } from "./feed.jsx";
import { Funnel } from "./funnel.jsx";
import { Header } from "./header.jsx";
import { KeyFigures } from "./kpis.jsx";
import { JourneyMap } from "./map.jsx";
import { when, zone } from "./numbers.js";
import { Orders } from "./orders.jsx";
import { People } from "./people.jsx";
import { Person } from "./person.jsx";
import { Phases } from "./phases.jsx";
import { Crossings, WeakPoints } from "./places.jsx";
import { Unknown } from "./states.jsx";
import { KEY_FIGURES, PANELS, useAnswer, useStream } from "./stream.js";
import { Traffic } from "./traffic.jsx";
import { language, say } from "./words.js";

const HUES = 6;

function stored(name, value) {
  try {
    if (value === undefined) return localStorage.getItem(name);
    localStorage.setItem(name, value);
  } catch {
    // no storage: the choice lasts as long as the page
  }
  return value;
}

/** The site, with the colours and labels of the model that is looked at. */
function dressed(site, said) {
  const model = site.models.find((each) => each.id === said.model) || site.models[0];
  const phases = model.phases.map((phase, n) => ({ ...phase, label: phase[language.now], color: n < HUES ? `var(--p${n + 1})` : "var(--ink3)" }));
  const phase = Object.fromEntries(phases.map((each) => [each.id, each]));
  const steps = Object.fromEntries(model.funnel.map((step) => [step.name, phase[step.phase]]));
  return { ...site, phases, phase, steps, funnel: model.funnel };
}

function Overview({ panels, site, said, now, reach }) {
  const spanName = said.from ? `${when(said.from, spanOf(said, now).length)}–${when(said.to, spanOf(said, now).length)}` : say(`last_${said.span || "1h"}`);
  const beforeName = say((said.span || "1h") === "1h" && !said.from ? "before_1h" : "before_span");
  return (
    <div class="wrap">
      <h1 class="hidden">{site.site}, {spanName}</h1>
      <Alerts panel={panels.alerts} usual={panels.usual_funnel?.rows} funnel={panels.funnel?.rows} now={now} />
      <div class="row c84"><Funnel {...{ panels, site, said, now }} /><Cost panels={panels} site={site} spanName={said.from ? spanName : say(`span_${said.span || "1h"}`).toLowerCase()} /></div>
      <div class="row"><Phases panel={panels.phases} {...{ site, said }} /></div>
      <div class="row c84"><JourneyMap {...{ panels, site }} /><div class="stack"><WeakPoints panel={panels.weak} site={site} /><Crossings panel={panels.crossings} /></div></div>
      <div class="row c75"><Feed {...{ panels, site, now }} /><Traffic {...{ panels, said, beforeName, go }} /></div>
      <div class="row c48"><Orders {...{ panels, said, now, beforeName }} /><KeyFigures {...{ panels, site, said, go, reach }} /></div>
    </div>
  );
}

function useTheme() {
  const [theme, set] = useState(stored("theme"));
  useEffect(() => { if (theme) document.documentElement.dataset.theme = theme; }, [theme]);
  return () => {
    const isDark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme:dark)").matches;
    set(stored("theme", isDark ? "light" : "dark"));
  };
}

function useLanguage(said) {
  const [chosen, set] = useState(said.lang || stored("language") || (navigator.language.startsWith("de") ? "de" : "en"));
  language.now = chosen === "de" ? "de" : "en";
  document.documentElement.lang = language.now;
  return () => set(stored("language", language.now === "de" ? "en" : "de"));
}

/** Every second: the status tells how long nothing came, and spans that end now move on. */
function useClock() {
  const [, tick] = useState(0);
  useEffect(() => { const timer = setInterval(() => tick((n) => n + 1), 1000); return () => clearInterval(timer); }, []);
}

function useSlash() {
  useEffect(() => {
    const press = (event) => {
      if (event.key !== "/" || /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
      document.querySelector(".filters select")?.focus();
      event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

function View({ stream, site, said, now, isEmpty, again, found, reach }) {
  const mark = Math.floor(now / 10000);
  if (found.error) return <Unknown {...{ found, said, again }} />;
  if (!site) return null;
  if (isEmpty) return <Empty site={site} panels={stream.panels} />;
  if (said.view === "people") return <People {...{ said, site, now, mark }} />;
  if (said.view === "person") return <Person {...{ said, site, now, go, mark }} />;
  return <Overview panels={stream.panels} {...{ site, said, now, reach }} />;
}

function Page() {
  const said = useAddress();
  const speak = useLanguage(said), shade = useTheme();
  const [tries, tryAgain] = useState(0);
  useClock();
  useSlash();
  const filters = JSON.stringify(FILTERS.map((name) => said[name]));
  const found = useAnswer(api("site"), tries);
  const [isDown, reach] = useState(false);
  const shown = said.view ? [] : isDown ? [...PANELS, ...KEY_FIGURES] : PANELS;
  const stream = useStream(found.answer ? filters : null, shown, tries);
  useEffect(() => { if (stream.state === "closed") { const timer = setTimeout(() => tryAgain((n) => n + 1), 3000); return () => clearTimeout(timer); } return undefined; }, [stream.state, tries]);
  zone.name = found.answer?.time_zone || "UTC";
  const site = found.answer && dressed(found.answer, said);
  const now = Date.now() + (stream.ahead || 0);
  const { isLive } = spanOf(said, now);
  const isEmpty = stream.panels.pulse?.rows?.is_empty === true;
  document.title = site ? `Touchstream: ${site.site}` : "Touchstream";
  return (
    <>
      <a class="skip" href="#main">{say("skip")}</a>
      <Header {...{ site, said, go, stream, isLive, isEmpty, now, speak, shade }} />
      <main id="main" tabindex="-1"><View {...{ stream, site, said, now, isEmpty, found, reach }} again={() => tryAgain(tries + 1)} /></main>
      <footer><div class="wrap"><span>{site ? say("foot", site.site, zone.name) : "Touchstream"}</span><span>{say("keys")}</span><a href="/openapi.json">{say("api")}</a></div></footer>
    </>
  );
}

followLinks();
render(<Page />, document.body);
