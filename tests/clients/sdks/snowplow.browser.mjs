export const start = async ({ newTracker, trackSelfDescribingEvent }, { url, key }) => {
  newTracker("sp", url, { appId: key });
  return {
    send: (event, data) =>
      void trackSelfDescribingEvent({
        event: { schema: `iglu:com.example/${event.replace(" ", "_")}/jsonschema/1-0-0`, data },
      }),
  };
};
