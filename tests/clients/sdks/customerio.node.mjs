export { start } from "./segment.node.mjs";
