export const start = async ({ initAll, track }, { url, key }) => {
  const quiet = { fetchRemoteConfig: false, remoteConfig: { fetchRemoteConfig: false }, enableDiagnostics: false };
  const to = { serverUrl: `${url}/2/httpapi`, flushIntervalMillis: 500, flushMaxRetries: 30 };
  initAll(key, { analytics: { ...quiet, ...to, autocapture: false } });
  return { send: (event, properties) => void track(event, properties) };
};
