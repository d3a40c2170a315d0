export const start = async (amplitude, { url, key }) => {
  const quiet = { fetchRemoteConfig: false, remoteConfig: { fetchRemoteConfig: false }, enableDiagnostics: false };
  amplitude.init(key, undefined, {
    ...quiet,
    serverUrl: `${url}/2/httpapi`,
    flushIntervalMillis: 500,
    flushMaxRetries: 30,
    defaultTracking: false,
    autocapture: false,
  });
  return { send: (event, properties) => void amplitude.track(event, properties) };
};
