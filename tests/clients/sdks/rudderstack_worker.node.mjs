export const start = ({ Analytics }, { url, key }) => {
  const analytics = new Analytics(key, `${url}/v1/batch`, { flushAt: 5, flushInterval: 500, logLevel: "off" });
  return {
    send: (event, properties) => void analytics.track({ event, properties, anonymousId: "a-1", userId: "u-1" }),
    end: () => new Promise((done) => analytics.flush(done)),
  };
};
