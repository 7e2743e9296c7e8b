// Follows the log of a running job: the server has rendered it up to an offset,
// the event stream tells the rest, and this appends it line by line.

import { applyStyle, plainStyle, readLine } from "./terminal.js";
import { refresh } from "./refresh.js";

const MAX_DEPTH = 8;
const MAX_LINES = 50000;
// A line that never ends is cut, so that it is not read again and again.
const MAX_PENDING = 65536;

export function start(log) {
  linkNumbers(log);
  if (log.dataset.events) follow(log);
}

// The numbers are no elements, so the click is told by its place.
function linkNumbers(log) {
  log.addEventListener("click", (event) => {
    const line = event.target.closest("[data-n]");
    if (!line || event.offsetX > 56 || event.target !== line) return;
    event.preventDefault();
    location.hash = line.id;
  });
}

function follow(log) {
  const writer = new Writer(log);
  const view = new View(log);
  const events = new EventSource(log.dataset.events);
  let begun = false;
  events.addEventListener("log", (event) => {
    writer.add(JSON.parse(event.data).text);
    view.changed(() => writer.flush());
    if (!begun) {
      begun = true;
      document.getElementById("log-empty")?.remove();
      refresh();
    }
  });
  events.addEventListener("end", () => {
    events.close();
    writer.complete();
    view.changed(() => writer.flush());
    view.end();
    refresh();
  });
}

// Scrolls along while the reader is at the end and wants it.
class View {
  constructor(log) {
    this.log = log;
    this.button = document.getElementById("follow");
    this.waiting = false;
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.set(!this.follows()));
    this.top = scrollY;
    addEventListener("scroll", () => this.scrolled(), { passive: true });
  }

  follows() {
    return this.button.getAttribute("aria-pressed") === "true";
  }

  atEnd() {
    const page = document.documentElement;
    return page.scrollHeight > innerHeight && page.scrollHeight - scrollY - innerHeight < 8;
  }

  // Only a reader scrolls up.
  scrolled() {
    const up = scrollY < this.top;
    this.top = scrollY;
    if (this.atEnd()) this.set(true);
    else if (up) this.set(false);
  }

  set(on) {
    this.button.setAttribute("aria-pressed", String(on));
    if (on && !this.atEnd()) scrollTo({ top: document.documentElement.scrollHeight });
  }

  changed(write) {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      write();
      if (this.follows()) scrollTo({ top: document.documentElement.scrollHeight });
    });
  }

  end() {
    this.button.hidden = true;
  }
}

class Writer {
  constructor(log) {
    this.log = log;
    this.style = plainStyle();
    if (log.dataset.style) applyStyle(this.style, log.dataset.style);
    this.next = log.dataset.next ? Number(log.dataset.next) : null;
    this.sections = [...log.querySelectorAll("details[data-open]")].map((element) => ({
      element,
      name: element.dataset.section,
      time: Number(element.dataset.time),
    }));
    this.header = null;
    this.pending = "";
    this.lines = log.querySelectorAll("div, summary").length;
    this.preview = null;
  }

  add(text) {
    this.pending += text;
  }

  complete() {
    if (this.pending && !this.pending.endsWith("\n")) this.pending += "\n";
  }

  // Writes whole lines for good, and the unfinished one for show.
  flush() {
    this.preview?.remove();
    this.preview = null;
    let from = 0;
    for (let end = this.pending.indexOf("\n"); end >= 0; end = this.pending.indexOf("\n", from)) {
      this.line(this.pending.slice(from, end));
      from = end + 1;
    }
    this.pending = this.pending.slice(from);
    if (this.pending.length > MAX_PENDING) {
      this.line(this.pending);
      this.pending = "";
    }
    if (this.pending) this.show(this.pending);
    this.drop();
  }

  show(text) {
    const nodes = [];
    readLine(text, { ...this.style }, {
      cut: () => {},
      section: () => nodes.splice(0),
      end: (rest) => nodes.push(...rest),
    });
    if (nodes.length === 0) return;
    this.preview = document.createElement("div");
    this.preview.append(...nodes);
    this.place().append(this.preview);
  }

  line(text) {
    readLine(text, this.style, {
      cut: (nodes) => {
        if (this.header) this.begin(nodes);
        else if (nodes.length > 0) this.append(nodes);
      },
      section: (token) => {
        if (token.section === "start") this.header = token;
        else this.end(token);
      },
      end: (nodes, marked) => {
        if (this.header) this.begin(nodes);
        else if (!marked || nodes.length > 0) this.append(nodes);
      },
    });
  }

  place() {
    return this.sections.at(-1)?.element ?? this.log;
  }

  append(nodes) {
    const line = document.createElement("div");
    this.number(line);
    line.append(...nodes);
    this.place().append(line);
  }

  number(line) {
    this.lines += 1;
    if (this.next === null) return;
    line.id = `L${this.next}`;
    line.dataset.n = this.next;
    this.next += 1;
  }

  begin(nodes) {
    const { name, time, collapsed } = this.header;
    this.header = null;
    if (this.sections.length >= MAX_DEPTH) {
      this.append(nodes);
      return;
    }
    const element = document.createElement("details");
    element.open = !collapsed;
    element.dataset.section = name;
    const summary = document.createElement("summary");
    this.number(summary);
    if (nodes.length > 0) summary.append(...nodes);
    else summary.textContent = name;
    element.append(summary);
    this.place().append(element);
    this.sections.push({ element, name, time });
  }

  end({ name, time }) {
    const at = this.sections.findLastIndex((section) => section.name === name);
    if (at < 0) return;
    const [section] = this.sections.splice(at);
    const took = document.createElement("b");
    took.textContent = duration(Math.max(0, time - section.time));
    section.element.firstElementChild.append(took);
  }

  // Keeps the page usable on endless logs: the oldest lines go.
  drop() {
    while (this.lines > MAX_LINES && this.log.firstElementChild) {
      const oldest = this.log.firstElementChild;
      if (this.sections.some((section) => section.element === oldest)) return;
      this.lines -= Math.max(1, oldest.querySelectorAll("div, summary").length);
      oldest.remove();
    }
  }
}

function duration(seconds) {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds / 60) % 60)}m`;
}
