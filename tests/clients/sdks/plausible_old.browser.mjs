export const start = async (sdk, { url, key }) => {
  const Plausible = sdk.default?.default ?? sdk.default;
  const { trackEvent } = Plausible({ domain: key, apiHost: url, trackLocalhost: true });
  return { send: (event, props) => void trackEvent(event, { props }) };
};
