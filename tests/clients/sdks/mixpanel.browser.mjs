export const start = async ({ default: mixpanel }, { url, key }) => {
  mixpanel.init(key, { api_host: url, batch_flush_interval_ms: 500, ignore_dnt: true });
  return { send: (event, properties) => void mixpanel.track(event, properties) };
};
