export const start = async ({ Plausible }, { url, key }) => {
  const plausible = new Plausible({ apiHost: url, domain: key });
  return { send: (event, props) => plausible.sendEvent(event, { props }) };
};
