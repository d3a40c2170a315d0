export const start = ({ OpenPanel }, { url, key }) => {
  const op = new OpenPanel({ apiUrl: url, clientId: key, clientSecret: "s" });
  return {
    send: (event, properties) => void op.track(event, { ...properties, profileId: "u-1" }),
    end: () => new Promise((done) => setTimeout(done, 5_000)),
  };
};
