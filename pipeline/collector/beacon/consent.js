// What the visitor allows: analytics (everything sent) and marketing (ad clicks, newsletter ids).

import { read, write } from "./store.js";

const STATES = { granted: "granted", denied: "denied", true: "granted", false: "denied" };

const CATEGORIES = ["analytics", "marketing"];

const hasSignal = () =>
  navigator.globalPrivacyControl === true || navigator.doNotTrack === "1";

/** What was chosen before, as far as it can be read. */
const chosen = () => {
  const kept = Object(read("consent"));
  return Object.fromEntries(CATEGORIES.filter((name) => STATES[kept[name]]).map((name) => [name, kept[name]]));
};

/**
 * Each category is "granted", "denied" or "unknown". What the visitor said on this site counts
 * first, then Global Privacy Control and Do Not Track (denied), then what the page says; a word of the
 * page that is none of the three is "unknown".
 */
export function createConsent({ consent = "granted", signals, cookieless }, say) {
  if (!STATES[consent] && consent !== "unknown")
    say(`consent is granted, denied or unknown, not ${JSON.stringify(consent)}: taken for unknown`);
  const told = STATES[consent] || "unknown";
  const usual = signals !== "ignore" && hasSignal() ? "denied" : told;
  const states = { analytics: usual, marketing: usual, ...(!cookieless && chosen()) };
  return {
    is: (category, state) => states[category] === state,
    /** As Segment writes it into the context; what is unknown is left out. */
    preferences: () => ({
      categoryPreferences: Object.fromEntries(
        CATEGORIES.filter((name) => states[name] !== "unknown").map((name) => [
          name,
          states[name] === "granted",
        ]),
      ),
    }),
    /** `{analytics: true, marketing: false}`; one word or truth is for both. */
    choose(choice) {
      for (const name of CATEGORIES) {
        const said = choice instanceof Object ? choice[name] : choice;
        if (STATES[said]) states[name] = STATES[said];
        else if (said !== undefined || choice === undefined)
          say(`consent is {analytics: true, marketing: false}, not ${JSON.stringify(choice)}: ignored`);
      }
      if (!cookieless) write("consent", states);
    },
  };
}
