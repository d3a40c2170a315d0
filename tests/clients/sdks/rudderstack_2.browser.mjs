export const start = async (sdk, { url, key }) => {
  sdk.load(key, url, { configUrl: url, logLevel: "NONE" });
  return { send: (event, properties) => void sdk.track(event, properties) };
};
