export const start = async ({ jitsuAnalytics }, { url, key }) => {
  const analytics = jitsuAnalytics({ host: url, writeKey: key });
  return { send: (event, properties) => analytics.track(event, properties) };
};
