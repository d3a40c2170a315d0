export const start = (piwik, { url, key }) => {
  const site = piwik.setup(`${url}/`);
  const common = { idsite: key, _id: "0123456789abcdef", url: "https://shop.example/" };
  return {
    send: (event, { n, note }) => void site.track({ ...common, e_c: note, e_a: event, e_v: n }, () => {}),
  };
};
