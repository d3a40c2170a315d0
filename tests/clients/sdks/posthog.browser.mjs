export const start = async ({ default: posthog }, { url, key }) => {
  posthog.init(key, { api_host: url, autocapture: false, capture_pageview: false, opt_out_useragent_filter: true });
  return { send: (event, properties) => void posthog.capture(event, properties) };
};
