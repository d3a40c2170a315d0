export const start = async ({ track }, { url, key }) => {
  window.minimalAnalytics = { trackingId: key, analyticsEndpoint: `${url}/g/collect` };
  return { send: (type, { n, note }) => track({ type, event: { "epn.n": n, "ep.note": note } }) };
};
