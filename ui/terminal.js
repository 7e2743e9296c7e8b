// One line of a log as styled pieces: the browser's half of the server's
// `ui/log_view`, with the same rules. Makes no HTML: only texts and class names.

const SPECIAL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const DIRECTION = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const MARKER_END = "\r\u001b[0K";
const MARKER = /section_(start|end):(\d{1,18}):([A-Za-z0-9_.-]+)(?:\[([^\]]*)\])?$/;
// Before each line that a newer runner writes.
const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [\da-f]{2}[EO][ +]/;
const SEQUENCE = /^\[([0-?]*)([ -/]*)([@-~])/;

export function plainStyle() {
  return {};
}

// Applies the parameters of one `ESC[…m` to a style.
export function applyStyle(style, parameters) {
  const groups = parameters.split(";");
  for (let at = 0; at < groups.length; at += 1) {
    const group = groups[at];
    if (group.includes(":")) {
      applyGrouped(style, group.split(":").slice(0, 8));
      continue;
    }
    const code = number(group);
    if (code === 38 || code === 48) {
      const taken = color(groups, at + 1);
      if (taken.color) style[code === 38 ? "text" : "ground"] = taken.color;
      at = taken.next - 1;
    } else {
      applyCode(style, code);
    }
  }
}

function applyGrouped(style, parts) {
  const code = number(parts[0]);
  if (code === 4 && parts.length === 2) {
    style.underline = parts[1] !== "0";
  } else if (code === 38 || code === 48) {
    const place = code === 38 ? "text" : "ground";
    if (parts[1] === "2" && parts.length >= 5) {
      style[place] = color(["2", ...parts.slice(-3)], 0).color ?? style[place];
    } else if (parts[1] === "5" && parts.length === 3) {
      style[place] = color(["5", parts[2]], 0).color ?? style[place];
    }
  }
}

function applyCode(style, code) {
  switch (code) {
    case 0:
      for (const key of Object.keys(style)) delete style[key];
      break;
    case 1: style.bold = true; break;
    case 2: style.faint = true; break;
    case 3: style.italic = true; break;
    case 4:
    case 21: style.underline = true; break;
    case 7: style.inverse = true; break;
    case 9: style.strike = true; break;
    case 22: style.bold = style.faint = false; break;
    case 23: style.italic = false; break;
    case 24: style.underline = false; break;
    case 27: style.inverse = false; break;
    case 29: style.strike = false; break;
    case 39: style.text = undefined; break;
    case 49: style.ground = undefined; break;
    default:
      if (code >= 30 && code <= 37) style.text = code - 30;
      else if (code >= 40 && code <= 47) style.ground = code - 40;
      else if (code >= 90 && code <= 97) style.text = code - 82;
      else if (code >= 100 && code <= 107) style.ground = code - 92;
  }
}

function color(groups, at) {
  const mode = number(groups[at]);
  if (mode === 5) {
    return { color: number(groups[at + 1]), next: at + 2 };
  }
  if (mode === 2) {
    const parts = [1, 2, 3].map((step) => number(groups[at + step]));
    const known = parts.every((part) => part !== undefined);
    return { color: known ? `rgb(${parts.join(" ")})` : undefined, next: at + 4 };
  }
  return { color: undefined, next: at + 1 };
}

function number(text) {
  if (text === undefined) return undefined;
  if (text === "") return 0;
  const value = /^\d+$/.test(text) ? Number(text) : undefined;
  return value <= 255 ? value : undefined;
}

// A `<span>` or text node for a piece of text in a style.
export function piece(style, text) {
  const span = document.createElement("span");
  const inverse = style.inverse;
  paint(span, inverse ? style.ground : style.text, "f", "color", inverse);
  paint(span, inverse ? style.text : style.ground, "b", "background", inverse);
  for (const [key, name] of [["bold", "sb"], ["faint", "sf"], ["italic", "si"], ["underline", "su"], ["strike", "ss"]]) {
    if (style[key]) span.classList.add(name);
  }
  if (span.attributes.length === 0) return document.createTextNode(text);
  span.textContent = text;
  return span;
}

function paint(span, color, kind, property, inverse) {
  if (typeof color === "number") span.classList.add(`${kind}${color}`);
  else if (color) span.style[property] = color;
  else if (inverse) span.classList.add(`${kind}z`);
}

// Cuts a line without its `\n` into tokens.
export function* tokens(line) {
  let rest = line;
  while (rest) {
    const found = rest.search(SPECIAL);
    const end = found < 0 ? rest.length : found;
    if (end > 0) {
      const text = rest.slice(0, end);
      rest = rest.slice(end);
      const marker = rest.startsWith(MARKER_END) ? MARKER.exec(text) : null;
      if (marker) {
        rest = rest.slice(MARKER_END.length);
        if (marker.index > 0) yield { text: text.slice(0, marker.index) };
        const collapsed = (marker[4] ?? "").split(",").some((one) => one.trim() === "collapsed=true");
        yield { section: marker[1], time: Number(marker[2]), name: marker[3], collapsed };
      } else {
        yield { text };
      }
      continue;
    }
    const first = rest[0];
    rest = rest.slice(1);
    if (first === "\r") {
      yield { back: true };
    } else if (DIRECTION.test(first)) {
      yield { direction: first.codePointAt(0) };
    } else if (first === "\u001b") {
      const escape = skipEscape(rest);
      rest = escape.rest;
      if (escape.token) yield escape.token;
    }
  }
}

function skipEscape(rest) {
  const kind = rest[0] ?? "";
  if (kind === "[") {
    const sequence = SEQUENCE.exec(rest);
    if (!sequence) return { rest: rest.replace(/^\[[0-?]*[ -/]*/, "") };
    const [whole, parameters, intermediate, last] = sequence;
    const after = rest.slice(whole.length);
    if (last === "m" && !intermediate && /^[0-9;:]*$/.test(parameters)) {
      return { rest: after, token: { style: parameters } };
    }
    if (last === "K" && parameters !== "1") {
      return { rest: after, token: { erase: true, whole: parameters === "2" } };
    }
    return { rest: after };
  }
  if (kind !== "" && "]PX^_".includes(kind)) {
    const string = /^[^]*?(?:\u0007|\u001b\\)/.exec(rest.slice(1));
    return { rest: rest.slice(1 + (string ? string[0].length : 0)) };
  }
  return { rest: rest.replace(/^(?:[ -/]+[0-~]?|[0-~])/, "") };
}

// Builds the nodes of one line; `style` goes on to the next. Markers cut it:
// `sink.text(nodes)` gets what stands before one, `sink.section(token)` the marker.
export function readLine(line, style, sink) {
  let nodes = [];
  let overwrites = false;
  let marked = false;
  for (const token of tokens(line.replace(STAMP, ""))) {
    const shows = token.text !== undefined || token.direction !== undefined;
    if (overwrites && shows) {
      nodes = [];
      overwrites = false;
    }
    if (token.text !== undefined) {
      nodes.push(piece(style, token.text));
    } else if (token.direction !== undefined) {
      const code = document.createElement("i");
      code.textContent = `U+${token.direction.toString(16).toUpperCase().padStart(4, "0")}`;
      nodes.push(code);
    } else if (token.style !== undefined) {
      applyStyle(style, token.style);
    } else if (token.back) {
      overwrites = true;
    } else if (token.erase) {
      if (token.whole || overwrites) nodes = [];
    } else if (token.section) {
      marked = true;
      sink.cut(nodes);
      nodes = [];
      sink.section(token);
    }
  }
  sink.end(nodes, marked);
}
