import { createRequire } from "node:module";

const MatomoTracker = createRequire(import.meta.url)("matomo-tracker");
const matomo = new MatomoTracker("wk_matomo_node", `${process.argv[2]}/matomo.php`);
const url = "https://shop.example/products/chair";
const visitor = { _id: "0123456789abcdef", url };
matomo.track({ ...visitor, action_name: "Chair" });
matomo.track({ ...visitor, e_c: "filter", e_a: "Colour Chosen", e_n: "grey" });
const items = JSON.stringify([["chair", "Chair", "Seats", 119.9, 2]]);
await new Promise((done) => matomo.trackBulk([
  { ...visitor, search: "chair", search_count: 3 },
  { ...visitor, idgoal: 0, ec_id: "o-1", revenue: 239.8, ec_items: items },
], done));
setTimeout(() => process.exit(), 500); // its connections stay open otherwise
