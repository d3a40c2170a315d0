// What the visitor allows: analytics (everything sent) and marketing (ad clicks, newsletter ids).

import { read, write } from "./store.js";

const CATEGORIES = ["analytics", "marketing"];

const hasSignal = () =>
  navigator.globalPrivacyControl === true || navigator.doNotTrack === "1";

/**
 * Each category is "granted", "denied" or "unknown". What the visitor said on this site counts
 * first, then Global Privacy Control and Do Not Track (denied), then what the page says.
 */
export function createConsent({ consent = "granted", signals, cookieless }) {
  const usual = signals !== "ignore" && hasSignal() ? "denied" : consent;
  const states = { analytics: usual, marketing: usual, ...(!cookieless && read("consent")) };
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
    choose(choice) {
      for (const name of CATEGORIES)
        if (name in choice) states[name] = choice[name] ? "granted" : "denied";
      if (!cookieless) write("consent", states);
    },
  };
}
