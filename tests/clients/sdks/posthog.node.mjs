export const start = ({ PostHog }, { url, key }) => {
  const posthog = new PostHog(key, { host: url, flushInterval: 500, fetchRetryCount: 20 });
  return {
    send: (event, properties) => void posthog.capture({ event, properties, distinctId: "u-1" }),
    end: () => (posthog.shutdown ?? posthog.shutdownAsync).call(posthog, 30_000),
  };
};
