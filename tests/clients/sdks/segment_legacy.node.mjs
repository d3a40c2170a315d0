export const start = (Analytics, { url, key }) => {
  const analytics = new Analytics(key, { host: url, flushInterval: 500, errorHandler: () => {} });
  return {
    send: (event, properties) => void analytics.track({ event, properties, anonymousId: "a-1", userId: "u-1" }),
    end: () => analytics.flush(),
  };
};
