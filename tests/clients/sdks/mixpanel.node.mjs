export const start = (Mixpanel, { host, key }) => {
  const mixpanel = (Mixpanel.default ?? Mixpanel).init(key, { host, protocol: "http" });
  return { send: (event, properties) => void mixpanel.track(event, { ...properties, distinct_id: "u-1" }) };
};
