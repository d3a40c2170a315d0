import { PostHog } from "posthog-node";

const posthog = new PostHog("wk_posthog_node", { host: process.argv[2], flushAt: 10 });
for (let number = 1; number <= 40; number++) {
  posthog.capture({ distinctId: "u-1", event: `Event ${number}`, properties: { number } });
}
posthog.alias({ distinctId: "u-1", alias: "u-0" });
await posthog.shutdown();
