export const start = async (sdk, { url, key }) => {
  const matomo = new (sdk.default ?? sdk)({ urlBase: url, siteId: key });
  return { send: (action, { n, note }) => matomo.trackEvent({ category: "shop", action, name: note, value: n, url: location.href }) };
};
