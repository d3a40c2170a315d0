export const start = (amplitude, { url, key }) => {
  amplitude.init(key, { serverUrl: `${url}/2/httpapi`, flushIntervalMillis: 500, logLevel: 0, flushMaxRetries: 30 });
  return {
    send: (event, properties) => void amplitude.track(event, properties, { user_id: "u-1" }),
    end: () => amplitude.flush().promise,
  };
};
