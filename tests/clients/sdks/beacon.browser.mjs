export const start = async (_sdk, { url, key }) => {
  const script = document.createElement("script");
  Object.assign(script, { src: `${url}/beacon.js` });
  Object.assign(script.dataset, { key, watch: "" });
  document.head.append(script);
  await new Promise((done) => (script.onload = done));
  return { send: (event, properties) => void touchstream.track(event, properties) };
};
