import assert from 'node:assert/strict';
import { test } from 'node:test';

import { vectors } from './reference.mjs';
import { verdictOn } from '../../src/counterfoil/web/static/verdict.js';

const [{ counterfoil, signer }] = vectors.counterfoils;
const PROGRAMME = counterfoil.programme;
const check = (value, final = 0, key = signer, programme = PROGRAMME) =>
  verdictOn(typeof value === 'string' ? value : JSON.stringify(value), key, programme, final);
const states = (verdict) => verdict.steps.map((step) => step.state);

test('a genuine counterfoil passes every step, alone and inside its answer', () => {
  for (const pasted of [counterfoil, { id: 'ent_0000000000010000', counterfoil }]) {
    const verdict = check(pasted);
    assert.equal(verdict.ok, true, JSON.stringify(verdict));
    assert.deepEqual(states(verdict), ['passed', 'passed', 'passed', 'passed']);
    assert.match(verdict.steps[3].text, new RegExp(signer, 'i'));
    assert.match(verdict.detail, new RegExp(`by settlement ${counterfoil.settle_by} at the latest`));
    assert.match(verdict.detail, /not final yet/);
  }
  assert.match(check(counterfoil, counterfoil.settle_by).detail, /is final, so the entry must be in the log/);
});

test('each kind of change fails at its step, and nothing after it is looked at', () => {
  const other = `0x${'11'.repeat(32)}`;
  const cases = [
    [{ ...counterfoil, root: 'x' }, ['failed', 'not_run', 'not_run', 'not_run']],
    [{ ...counterfoil, programme: other }, ['passed', 'failed', 'not_run', 'not_run']],
    [{ ...counterfoil, entry: other }, ['passed', 'passed', 'failed', 'not_run']],
    [{ ...counterfoil, path: [...counterfoil.path, other] }, ['passed', 'passed', 'failed', 'not_run']],
    [{ ...counterfoil, settle_by: counterfoil.settle_by + 1 }, ['passed', 'passed', 'passed', 'failed']],
    [{ ...counterfoil, signature: '0x' }, ['passed', 'passed', 'passed', 'failed']],
  ];
  for (const [changed, expected] of cases) {
    const verdict = check(changed);
    assert.equal(verdict.ok, false);
    assert.deepEqual(states(verdict), expected, JSON.stringify(verdict));
  }
  assert.deepEqual(states(check(counterfoil, 0, `0x${'22'.repeat(20)}`)), ['passed', 'passed', 'passed', 'failed']);
});

test('what is no counterfoil is told so in plain words', () => {
  const cases = [
    ['', /Nothing to check/],
    ['{', /not JSON/],
    ['[]', /several answers/],
    [{ data: [] }, /several answers/],
    [{ code: 'insufficient_points', status: 409 }, /refusal/],
    ['null', /cannot be read as a counterfoil/],
    ['7', /cannot be read as a counterfoil/],
    [{ counterfoil: null }, /cannot be read as a counterfoil/],
    [{}, /cannot be read as a counterfoil/],
  ];
  for (const [pasted, headline] of cases) {
    const verdict = check(pasted);
    assert.equal(verdict.ok, false);
    assert.match(verdict.headline, headline, JSON.stringify(pasted));
  }
});
