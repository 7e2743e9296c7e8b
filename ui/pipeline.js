// Keeps a pipeline, or a list of pipelines with one that still moves, up to date.

import { refresh } from "./refresh.js";

const LIST_INTERVAL = 5000;
const GATHER = 150;

export function start() {
  const pipeline = document.querySelector("#pipeline[data-events]");
  if (pipeline) {
    follow(pipeline.dataset.events);
  } else {
    watchList();
  }
}

function follow(address) {
  const events = new EventSource(address);
  let timer = 0;
  // Many jobs change at once; one look at the end is enough.
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, GATHER);
  };
  events.addEventListener("run", soon);
  events.addEventListener("job", soon);
  events.addEventListener("end", () => {
    events.close();
    soon();
  });
}

// There is no stream of a whole project, so the list looks now and then, while
// somebody can see it and something moves.
function watchList() {
  setInterval(() => {
    if (!document.hidden && document.querySelector("[data-moving]")) refresh();
  }, LIST_INTERVAL);
}
