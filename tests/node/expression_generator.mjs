// Random expressions of workflows, always the same for a seed.
//
// Where `@actions/expressions` is known to differ from GitHub's runner
// (API-QUIRKS.md, rows "Expressions"), nothing is generated, by rule:
// - numbers that become text have at most 15 digits and lie between 1e-4 and 1e15;
// - no NaN or infinity in `toJSON`;
// - at most one quote inside a string, no letters whose upper case is longer;
// - no name of an object is one of JavaScript's own (`constructor`), and only
//   the first may look like an index;
// - what may fail stands only where both evaluate it: the package evaluates all
//   arguments, the runner only those it needs.

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const NUMBERS = [
  '0', '-0', '1', '-1', '2', '+3', '42', '1.5', '-2.25', '.5', '1.', '0.1', '1e3', '12E-1',
  '0x10', '0xfF', '0x7fffffff', '0o17', '123456789012', '0.0001', '99999.99999',
];
const TEXTS = [
  '', 'a', 'A', 'abc', 'ABC', 'b', '0', '1', ' 1 ', '-1', '1.0', '1e1', '0x10', '0o7', '0b1x',
  'Infinity', '-Infinity', 'NaN', 'infinity', 'true', 'false', 'null', 'refs/heads/main', "it's",
  'é', 'É', 'ж', 'a,b', '{', '}', '{0}', '[]', '  ', 'Array', 'Object', 'name', 'list', '1 2', '.', '-', '1_0', '٣',
];
const KEYS = ['name', 'Name', 'list', 'map', 'a-b', '_x', 'id', 'null', 'true', 'É', 'with blank', '', 'NaN'];
const JSON_TEXTS = [
  'null', 'true', '1', '-0', '1.5e2', '"text"', '""', '[]', '{}', '[1,"a",null,[2]]',
  '{"name":"x","list":[{"id":1},{"id":"b"},3],"map":{"k":{"id":null}}}', ' [ 1 ] ', '"\\u00e9\\n"',
  '{"a":1,"A":2,"b":3,"a":4}',
];
const BAD_TEXTS = ['', ' ', '{', '[1,]', "'a'", '01', '1.', '.5', '+1', 'tru', '[1 2]', '{"a"}', '"\t"', 'NaN', '{a:1}', '1 1', '//'];
const OPERATORS = ['==', '!=', '<', '<=', '>', '>=', '&&', '||'];

export class Generator {
  #random;

  constructor(seed) {
    this.#random = random(seed);
  }

  chance(share) {
    return this.#random() < share;
  }

  pick(items) {
    return items[Math.floor(this.#random() * items.length)];
  }

  between(least, most) {
    return least + Math.floor(this.#random() * (most - least + 1));
  }

  /** An expression and the contexts it may use. */
  question() {
    const contexts = {};
    for (const name of ['github', 'matrix', 'Env', 'a-b_1']) {
      contexts[name] = this.chance(0.8) ? this.object(3) : this.data(1);
    }
    this.contexts = Object.keys(contexts);
    return { expr: this.expression(this.between(0, 5), { fail: true, finite: false }), contexts };
  }

  /** Tokens in any order: mostly no expression at all. */
  soup() {
    const tokens = [
      '(', ')', '[', ']', ',', '.', '*', '!', '==', '!=', '<', '>=', '&&', '||', '=', '&', '|', "'", "''", "'a'",
      'true', 'null', 'NaN', 'github', 'GITHUB', 'name', 'contains', 'format', 'join(', 'toJSON(', 'github.name',
      'github.*', '1', '-1', '.5', '0x1', '1.2.3', '-', '+', 'a-b', '_', '%', '"', '$', '\\', '{', 'é', '@', '#',
    ];
    const gaps = ['', '', '', ' ', ' ', '\t', '\r', '\n'];
    let expr = '';
    for (let left = this.between(1, 7); left > 0; left -= 1) {
      expr += this.pick(tokens) + this.pick(gaps);
    }
    return { expr, contexts: { github: { name: 'x', list: [1] } } };
  }

  data(depth) {
    const kind = depth > 0 ? this.between(0, 5) : this.between(0, 3);
    switch (kind) {
      case 0: return null;
      case 1: return this.chance(0.5);
      case 2: return this.pick([0, 1, -1, 1.5, 255, 1e10, 0.25]);
      case 3: return this.pick(TEXTS);
      case 4: return Array.from({ length: this.between(0, 3) }, () => this.data(depth - 1));
      default: return this.object(depth - 1);
    }
  }

  object(depth) {
    const object = this.chance(0.2) ? { 1: this.data(depth) } : {};
    for (let left = this.between(0, 4); left > 0; left -= 1) {
      object[this.pick(KEYS)] = this.data(depth);
    }
    return object;
  }

  string(text) {
    return `'${text.replaceAll("'", "''")}'`;
  }

  literal(rules) {
    switch (this.between(0, 5)) {
      case 0: return this.pick(['null', 'true', 'false']);
      case 1: return this.pick(NUMBERS);
      case 2: return rules.finite ? '7' : this.pick(['NaN', 'Infinity', '-Infinity', '+Infinity']);
      default: return this.string(this.pick(TEXTS));
    }
  }

  expression(depth, rules) {
    if (depth <= 0) {
      return this.chance(0.5) ? this.literal(rules) : this.path(0, rules);
    }
    switch (this.between(0, 9)) {
      case 0: return this.literal(rules);
      case 1:
      case 2:
      case 3: return this.path(depth, rules);
      case 4: return `${'!'.repeat(this.between(1, 3))}${this.blank()}(${this.expression(depth - 1, rules)})`;
      case 5: return `(${this.blank()}${this.expression(depth - 1, rules)})`;
      case 6:
      case 7: return this.operation(depth, rules);
      default: return this.call(depth, rules);
    }
  }

  blank() {
    return this.pick(['', '', ' ', '\n\t']);
  }

  operation(depth, rules) {
    let text = this.expression(depth - 1, rules);
    for (let left = this.between(1, 3); left > 0; left -= 1) {
      text += ` ${this.pick(OPERATORS)} ${this.expression(depth - 1, rules)}`;
    }
    return text;
  }

  /** A context, call or group with properties, indexes and `*`. */
  path(depth, rules) {
    let text = this.pick(this.contexts);
    if (this.chance(0.3)) {
      text = text.toUpperCase();
    }
    if (depth > 0 && this.chance(0.3)) {
      text = this.chance(0.5) ? this.call(depth - 1, rules) : `(${this.expression(depth - 1, rules)})`;
    }
    const sure = { fail: false, finite: rules.finite };
    for (let left = this.between(0, 4); left > 0; left -= 1) {
      switch (this.between(0, 5)) {
        case 0: text += this.pick(['.*', '[*]', '[ * ]', ' . *']); break;
        case 1: text += `[${this.blank()}${this.pick(['0', '1', '-1', '1.9', "'1'", 'true', 'null', 'NaN', '99'])}]`; break;
        case 2: text += `[${this.string(this.pick(KEYS))}]`; break;
        case 3: text += `[${depth > 0 ? this.expression(depth - 1, sure) : "''"}]`; break;
        default: text += `.${this.pick(['name', 'NAME', 'list', 'map', 'a-b', '_x', 'id', 'null', 'true', 'NaN'])}`;
      }
    }
    return text;
  }

  call(depth, rules) {
    const sure = { fail: false, finite: rules.finite };
    const argument = () => this.expression(depth - 1, sure);
    const first = () => this.expression(depth - 1, rules);
    const named = (name) => this.pick([name, name.toLowerCase(), name.toUpperCase()]) + this.pick(['', '', ' ']);
    switch (this.between(0, 7)) {
      case 0: return `${named('contains')}(${first()}, ${argument()})`;
      case 1: return `${named('startsWith')}(${first()}, ${argument()})`;
      case 2: return `${named('endsWith')}(${first()},${argument()})`;
      case 3: return `${named('join')}(${first()}${this.chance(0.5) ? `, ${argument()}` : ''})`;
      case 4: return `${named('toJSON')}(${this.expression(depth - 1, { fail: rules.fail, finite: true })})`;
      case 5: return `${named('fromJSON')}(${this.json(depth, rules)})`;
      case 6: return `${named('format')}(${this.pattern(rules.fail)}, ${argument()}, ${argument()})`;
      default: return `${named('case')}(${this.predicate(depth, rules)}, ${argument()}, ${argument()})`;
    }
  }

  json(depth, rules) {
    if (rules.fail && this.chance(0.2)) {
      return this.string(this.pick(BAD_TEXTS));
    }
    if (this.chance(0.3)) {
      return `toJSON(${this.expression(depth - 1, { fail: false, finite: true })})`;
    }
    return this.string(this.pick(JSON_TEXTS));
  }

  pattern(mayFail) {
    const parts = ['{0}', '{1}', '{{', '}}', 'x', ' ', '{0}{0}', 'é', '{00}'];
    if (mayFail && this.chance(0.2)) {
      parts.push('{', '}', '{2}', '{x}', '{-1}', '{ 0}', '{}', '{999}');
    }
    return this.string(Array.from({ length: this.between(0, 5) }, () => this.pick(parts)).join(''));
  }

  predicate(depth, rules) {
    if (rules.fail && this.chance(0.2)) {
      return this.expression(depth - 1, { fail: false, finite: rules.finite });
    }
    return `(${this.expression(depth - 1, { fail: false, finite: rules.finite })}) ${this.pick(['==', '!=', '<'])} ${this.literal(rules)}`;
  }
}
