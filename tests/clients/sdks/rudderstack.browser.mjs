export const start = async ({ RudderAnalytics }, { url, key }) => {
  const analytics = new RudderAnalytics();
  analytics.load(key, url, { configUrl: url, logLevel: "NONE" });
  return { send: (event, properties) => void analytics.track(event, properties) };
};
