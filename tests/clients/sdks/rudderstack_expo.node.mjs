export const start = (sdk, { url, key }) => {
  const analytics = new (sdk.default ?? sdk)(key, `${url}/v1/batch`, { flushInterval: 500, maxInternal: 100 });
  return {
    send: (event, properties) => void analytics.track({ event, properties, anonymousId: "a-1", userId: "u-1" }),
    end: () => analytics.flush(),
  };
};
