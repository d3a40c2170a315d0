export const start = (sdk, { url, key }) => {
  const { trackEvent } = sdk.createPlausibleTracker({ domain: key, apiHost: url });
  return { send: (event, props) => void trackEvent(event, { props }) };
};
