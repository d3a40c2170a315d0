export const start = ({ jitsuAnalytics }, { url, key }) => {
  const analytics = jitsuAnalytics({ host: url, writeKey: key, s2s: true });
  return { send: (event, properties) => void analytics.track(event, { ...properties, userId: "u-1" }) };
};
