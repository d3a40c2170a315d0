export const start = (sdk, { url, key }) => {
  const client = sdk.init(key, { serverUrl: `${url}/2/httpapi`, retryTimeouts: Array(30).fill(500), maxCachedEvents: 1 });
  return {
    send: (event_type, event_properties) => client.logEvent({ event_type, event_properties, user_id: "u-1" }),
    end: () => client.flush(),
  };
};
