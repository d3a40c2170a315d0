import { createRequire } from "node:module";

const umami = createRequire(import.meta.url)("@umami/node").default;
umami.init({ websiteId: "wk_umami_node", hostUrl: process.argv[2] });
await umami.track({ url: "/products/chair", hostname: "shop.example", title: "Chair" });
await umami.track("Product Added", { product_id: "chair", price: 119.9 });
await umami.identify({ plan: "gold" });
