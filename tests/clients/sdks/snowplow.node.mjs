export const start = (sdk, { host, key }) => {
  let tracker;
  if (sdk.newTracker) {
    tracker = sdk.newTracker({ namespace: "sp", appId: key, encodeBase64: false }, { endpoint: host, protocol: "http", bufferSize: 1 });
  } else {
    const emitter = sdk.gotEmitter(host, "http", undefined, "post", 1, 20);
    tracker = sdk.tracker([emitter], "sp", key, false);
  }
  tracker.setUserId("u-1");
  return {
    send: (event, properties) =>
      void tracker.track(
        sdk.buildSelfDescribingEvent({
          event: { schema: `iglu:com.example/${event.replace(" ", "_")}/jsonschema/1-0-0`, data: properties },
        }),
      ),
    end: () => new Promise((done) => setTimeout(done, 15_000)),
  };
};
