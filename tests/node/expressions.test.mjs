// `tappet eval` answers as GitHub's own `@actions/expressions` does.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { Generator } from './expression_generator.mjs';

const folder = join(process.env.TAPPET_NODE_PACKAGES, 'node_modules/@actions/expressions/dist/index.js');
const { Evaluator, Lexer, Parser, data } = await import(pathToFileURL(folder));

const SEED = Number(process.env.TAPPET_SEED ?? 20261121);
const COUNT = Number(process.env.TAPPET_EXPRESSIONS ?? 20000);

const KINDS = { Null: 'Null', BooleanData: 'Boolean', NumberData: 'Number', StringData: 'String' };

/** What the package says, in the form of `tappet eval`. */
function expected({ expr, contexts }) {
  try {
    const known = JSON.parse(JSON.stringify(contexts), data.reviver);
    const { tokens } = new Lexer(expr).lex();
    const parsed = new Parser(tokens, known.pairs().map((pair) => pair.key), []).parse();
    const value = new Evaluator(parsed, known).evaluate();
    return { kind: kind(value), value: plain(value) };
  } catch (error) {
    return { error: error.message };
  }
}

function kind(value) {
  if (value instanceof data.Array) return 'Array';
  if (value instanceof data.Dictionary) return 'Object';
  return KINDS[value.constructor.name];
}

function plain(value) {
  if (value instanceof data.Array) return value.values().map(plain);
  if (value instanceof data.Dictionary) {
    return Object.fromEntries(value.pairs().map((pair) => [pair.key, plain(pair.value)]));
  }
  if (value instanceof data.NumberData) return Number.isFinite(value.value) ? value.value : String(value.value);
  return value instanceof data.Null ? null : value.value;
}

function tappet(questions) {
  const output = execFileSync(process.env.TAPPET_BINARY, ['eval', '--dialect', 'actions', '--json'], {
    input: JSON.stringify(questions),
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  return JSON.parse(output);
}

/** Fails with the first questions whose answers differ. */
function compare(questions, same) {
  const answers = tappet(questions);
  assert.equal(answers.length, questions.length);
  const different = [];
  let values = 0;
  for (const [place, question] of questions.entries()) {
    const wanted = expected(question);
    values += wanted.error === undefined ? 1 : 0;
    if (!same(wanted, answers[place])) {
      different.push({ ...question, wanted, got: answers[place] });
    }
  }
  assert.deepEqual(different.slice(0, 5), [], `${different.length} of ${questions.length} differ (seed ${SEED})`);
  return values;
}

const sameValue = (wanted, got) =>
  wanted.error === undefined ? JSON.stringify(wanted) === JSON.stringify(got) : got.error !== undefined;

test('expressions have the same values', () => {
  const generator = new Generator(SEED);
  const questions = Array.from({ length: COUNT }, () => generator.question());
  const values = compare(questions, sameValue);
  assert.ok(values > COUNT / 2, `only ${values} of ${COUNT} have a value`);
});

test('what is an expression and what is not is the same', () => {
  // The package allows a comma before `)`, the runner does not.
  const trailing = /,\s*\)/;
  const generator = new Generator(SEED + 1);
  const questions = Array.from({ length: COUNT }, () => generator.soup()).filter(({ expr }) => !trailing.test(expr));
  const values = compare(questions, sameValue);
  assert.ok(values > COUNT / 100, `only ${values} of ${COUNT} have a value`);
});

for (const [what, nested] of [
  ['operators', (levels) => `${'!'.repeat(levels)}github`],
  ['properties', (levels) => `github${'.x'.repeat(levels)}`],
  ['indexes', (levels) => `${'github['.repeat(levels)}1${']'.repeat(levels)}`],
  ['calls', (levels) => `${'join('.repeat(levels)}1${')'.repeat(levels)}`],
]) {
  test(`nested ${what} are refused at the same depth`, () => {
    const questions = Array.from({ length: 60 }, (_, levels) => ({ expr: nested(levels), contexts: { github: {} } }));
    const values = compare(questions, (wanted, got) => (wanted.error === undefined) === (got.error === undefined));
    assert.equal(values, 50);
  });
}

test('the length that is refused is the same', () => {
  const questions = [20999, 21000, 21001].map((length) => ({ expr: `1${' '.repeat(length - 1)}`, contexts: {} }));
  assert.equal(compare(questions, sameValue), 2);
});
