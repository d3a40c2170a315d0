export const start = ({ jitsuClient }, { url, key }) => {
  const jitsu = jitsuClient({ key, tracking_host: url, fetch });
  jitsu.id({ id: "u-1" }, true);
  return {
    send: (event, properties) => void jitsu.track(event, properties),
    end: () => new Promise((done) => setTimeout(done, 10_000)),
  };
};
