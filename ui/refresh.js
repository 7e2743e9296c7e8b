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
  const focused = place(document.activeElement);
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(old.id);
    if (!now || old.isEqualNode(now)) continue;
    old.replaceWith(document.adoptNode(now));
  }
  if (focused && document.activeElement === document.body) {
    const same = [...document.querySelectorAll("a, button")].find((one) => place(one) === focused);
    same?.focus({ preventScroll: true });
  }
}

// What tells a link or button from others, so that its new self gets the focus.
function place(element) {
  return element?.getAttribute("href") ?? element?.form?.getAttribute("action") ?? null;
}
