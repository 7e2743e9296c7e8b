// Entry point of every page: starts what the page has use for.

import { showLocalTimes } from "./times.js";

showLocalTimes(document);

if (document.querySelector("#pipeline[data-events], [data-moving]")) {
  import("./pipeline.js").then((module) => module.start());
}
const log = document.getElementById("log");
if (log) {
  import("./log.js").then((module) => module.start(log));
}
