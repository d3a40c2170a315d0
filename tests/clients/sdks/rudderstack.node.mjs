export const start = (sdk, { url, key }) => {
  const Analytics = sdk.default ?? sdk;
  const analytics = new Analytics(key, { dataPlaneUrl: url, flushInterval: 500, logLevel: "silent" });
  return {
    send: (event, properties) => void analytics.track({ event, properties, anonymousId: "a-1", userId: "u-1" }),
    end: () => new Promise((done) => analytics.flush(done)),
  };
};
