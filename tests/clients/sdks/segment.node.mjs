export const start = ({ Analytics }, { url, key }) => {
  const analytics = new Analytics({ writeKey: key, host: url, flushInterval: 500, maxRetries: 20 });
  analytics.on("error", () => {});
  return {
    send: (event, properties) => void analytics.track({ event, properties, anonymousId: "a-1", userId: "u-1" }),
    end: () => analytics.closeAndFlush({ timeout: 30_000 }),
  };
};
