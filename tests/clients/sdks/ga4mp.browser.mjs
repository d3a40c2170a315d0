export const start = async (sdk, { url, key }) => {
  const ga = (sdk.default ?? sdk)([key], { endpoint: `${url}/g/collect` });
  return { send: (event, properties) => ga.trackEvent(event.replace(" ", "_"), properties) };
};
