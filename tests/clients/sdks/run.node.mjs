// Runs a client: run.node.mjs CLIENT PACKAGE URL KEY EVENTS MILLISECONDS
import { createRequire } from "node:module";
import { setTimeout as pause } from "node:timers/promises";

const [client, name, url, key, events, every] = process.argv.slice(2);
const { start } = await import(`./${client}.node.mjs`);
const load = async () => {
  try {
    return createRequire(`${process.cwd()}/`)(name);
  } catch {
    return import(createRequire(`${process.cwd()}/`).resolve(name));
  }
};
const { send, end } = await start(await load(), { url, key, host: url.replace("http://", "") });
process.on("unhandledRejection", () => {}); // of a client that tells of a failure so
for (let n = 1; n <= Number(events); n++) {
  try {
    await Promise.race([send(`Event ${n}`, { n, note: "Größe ✓" }), pause(0)]);
  } catch {} // a client may tell so that it failed
  await pause(Number(every));
}
await Promise.race([end?.(), pause(30_000)]);
await pause(500);
process.exit();
