// Relative times that stay true, with the exact time of the reader's own zone.

const UNITS = [
  ["year", 31536000],
  ["month", 2592000],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

function relative(seconds) {
  const passed = Math.abs(seconds);
  if (passed < 10) return "just now";
  const [unit, size] = UNITS.find(([, size]) => passed >= size);
  const count = Math.floor(passed / size);
  const text = `${count} ${unit}${count === 1 ? "" : "s"}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

export function showLocalTimes(root) {
  for (const time of root.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
    time.textContent = relative((Date.now() - at.getTime()) / 1000);
  }
}

setInterval(() => showLocalTimes(document), 30000);
