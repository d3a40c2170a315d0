export const start = ({ default: amplitude }, { host, key }) => {
  const client = amplitude.getInstance();
  client.init(key, null, { apiEndpoint: host, forceHttps: false, batchEvents: false });
  return { send: (event, properties) => void client.logEvent(event, properties) };
};
