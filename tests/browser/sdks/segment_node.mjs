import { Analytics } from "@segment/analytics-node";

const analytics = new Analytics({ writeKey: "wk_segment_node", host: process.argv[2], flushInterval: 100 });
for (let number = 1; number <= 40; number++) {
  analytics.track({ anonymousId: "a-1", event: `Event ${number}`, properties: { number } });
}
analytics.identify({ anonymousId: "a-1", userId: "u-1", traits: { plan: "gold" } });
await analytics.closeAndFlush();
