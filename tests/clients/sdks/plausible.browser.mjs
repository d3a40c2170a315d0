export const start = async ({ init, track }, { url, key }) => {
  init({ domain: key, endpoint: `${url}/api/event`, captureOnLocalhost: true, autoCapturePageviews: false });
  return { send: (event, props) => void track(event, { props }) };
};
