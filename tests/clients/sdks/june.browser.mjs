export const start = async ({ AnalyticsBrowser }, { host, key }) => {
  const settings = { "june.so": { apiHost: `${host}/sdk`, protocol: "http" } };
  const [analytics] = await AnalyticsBrowser.load({ writeKey: key, cdnSettings: { integrations: settings } });
  return { send: (event, properties) => analytics.track(event, properties) };
};
