export const start = async ({ AnalyticsBrowser }, { url, host, key }) => {
  const settings = { "Segment.io": { apiHost: `${host}/v1`, protocol: "http" } };
  const [analytics] = await AnalyticsBrowser.load({ writeKey: key, cdnURL: url }, { integrations: settings });
  return { send: (event, properties) => analytics.track(event, properties) };
};
