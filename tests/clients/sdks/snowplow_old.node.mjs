export const start = (sdk, { url, key }) => {
  const { hostname, port } = new URL(url);
  const retry = { limit: 20, methods: ["GET", "POST"] };
  const emitter = sdk.gotEmitter(hostname, "http", Number(port), "post", 1, retry);
  const tracker = sdk.tracker([emitter], "shop", key, true);
  tracker.setUserId("u-1");
  const send = (event, data) => {
    const schema = `iglu:com.example/${event.replace(" ", "_")}/jsonschema/1-0-0`;
    tracker.trackSelfDescribingEvent({ schema, data });
  };
  return { send, end: () => new Promise((done) => setTimeout(done, 15_000)) };
};
