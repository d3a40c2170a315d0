export const start = ({ default: Default, PostHog }, { url, key }) => {
  const posthog = new (PostHog ?? Default)(key, { host: url, flushAt: 1 });
  return { send: (event, properties) => void posthog.capture(event, properties) };
};
