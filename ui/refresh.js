// Brings the moving parts of a page up to date: the server renders the page
// again, and every element with `data-live` is exchanged for its new self.

import { showLocalTimes } from "./times.js";

let running = false;
let again = false;

export async function refresh() {
  if (running) {
    again = true;
    return;
  }
  running = true;
  try {
    do {
      again = false;
      await exchange();
    } while (again);
  } finally {
    running = false;
  }
}

async function exchange() {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!response.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  showLocalTimes(fresh);
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(old.id);
    if (!now || old.contains(document.activeElement)) continue;
    if (!old.isEqualNode(now)) old.replaceWith(document.adoptNode(now));
  }
}
