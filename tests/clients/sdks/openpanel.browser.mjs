export const start = async ({ OpenPanel }, { url, key }) => {
  const op = new OpenPanel({ apiUrl: url, clientId: key });
  return { send: (event, properties) => op.track(event, properties) };
};
