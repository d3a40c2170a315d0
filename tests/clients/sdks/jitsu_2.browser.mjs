export const start = async ({ jitsuClient }, { url, key }) => {
  const jitsu = jitsuClient({ key, tracking_host: url });
  return { send: (event, properties) => jitsu.track(event, properties) };
};
