export const start = async (sdk, { host, key }) => {
  const analytics = sdk.HtEventsBrowser.load({ writeKey: key }, { apiHost: host, protocol: "http" });
  return { send: (event, properties) => analytics.track(event, properties) };
};
