export const start = async ({ AnalyticsBrowser }, { url, host, key }) => {
  const settings = { "Customer.io Data Pipelines": { apiHost: `${host}/v1`, protocol: "http" } };
  const asked = { writeKey: key, cdnURL: `${url}/customerio` };
  const analytics = AnalyticsBrowser.load(asked, { integrations: settings });
  return { send: (event, properties) => analytics.track(event, properties) };
};
