// What a page does: its client is `client`, of the package `sdk`; `TOLD` says the rest.
import { start } from "client";
import * as sdk from "sdk";

const run = async ({ url, key, events, every }) => {
  const { send } = await start(sdk, { url, key, host: url.replace("http://", "") });
  for (let n = 1; n <= events; n++) {
    try {
      send(`Event ${n}`, { n, note: "Größe ✓" })?.catch?.(() => {});
    } catch {} // a client may tell so that it failed
    window.SENT = n;
    await new Promise((done) => setTimeout(done, every));
  }
};
run(window.TOLD);
