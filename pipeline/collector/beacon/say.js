// What whoever embeds the beacon is told in the console, with `debug` alone. And that nothing which
// goes wrong in here reaches the page.

/** Tells the console, if `debug` is set. */
export const teller = (debug) => (debug ? (...said) => console.log("touchstream:", ...said) : () => {});

/** `act`, which throws no more: what it throws is told, and `otherwise` given. */
export const safe = (say, act, otherwise) =>
  function (...values) {
    try {
      return act.apply(this, values);
    } catch (error) {
      say("this went wrong", error, values);
      return otherwise?.(...values);
    }
  };

/** The first 200 characters of a text: an emoji stays whole. */
export const cut = (text) => [...String(text)].slice(0, 200).join("");
