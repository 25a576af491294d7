/**
 * What a check of a counterfoil says to a person: a headline, the steps in order, and the promise itself.
 *
 * @typedef {{state: 'passed' | 'failed' | 'not_run', text: string}} Step
 * @typedef {{ok: boolean, headline: string, detail: string, steps: Step[]}} Verdict
 */

import { verifyCounterfoil } from './proof.js';

const SHAPE = 0;
const PROGRAMME = 1;
const PATH = 2;
const SIGNATURE = 3;

/** The step that each refusal stops at, and why, in words. */
const REFUSALS = {
  malformed: [SHAPE, 'This is not a counterfoil: an object with programme, group, root, signature, entry and path.'],
  bad_programme: [SHAPE, 'The programme must be 32 bytes as 0x-hex.'],
  bad_group: [SHAPE, 'The group must be a whole number.'],
  bad_root: [SHAPE, 'The root must be 32 bytes as 0x-hex.'],
  bad_committed_at: [SHAPE, 'committed_at must look like 2025-12-01T10:00:00.000000Z.'],
  bad_settle_by: [SHAPE, 'settle_by must be the number of a settlement.'],
  bad_entry: [SHAPE, 'The entry must be a hash of 32 bytes as 0x-hex.'],
  bad_place: [SHAPE, 'The place must be a whole number below the count.'],
  bad_count: [SHAPE, 'The count must be a whole number above zero.'],
  wrong_programme: [PROGRAMME, 'It belongs to another programme than this page.'],
  bad_path: [PATH, 'The path has not the length that place and count call for, or holds something that is no hash.'],
  wrong_root: [PATH, 'The path does not lead from the entry to the signed root: entry, path or root was changed.'],
  bad_signature: [SIGNATURE, 'The signature is not one: 65 bytes r, s, v as 0x-hex are expected.'],
  bad_v: [SIGNATURE, 'The signature ends in a wrong byte: 27 or 28 is expected.'],
  high_s: [SIGNATURE, 'The signature is the mirrored form, which is not accepted.'],
  wrong_signer: [SIGNATURE, 'Another key signed it, or something it signs was changed: group, root, time or settle_by.'],
  bad_expected_signer: [SIGNATURE, 'This page does not know the counterfoil key.'],
  bad_expected_programme: [PROGRAMME, 'This page does not know its programme.'],
};

/** @param {string} headline @param {string} detail @returns {Verdict} */
const nothing = (headline, detail) => ({ ok: false, headline, detail, steps: [] });

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * @param {string} text what was pasted: an answer, or its counterfoil
 * @param {string} key the counterfoil key, 20 bytes as hex
 * @param {string} programme 32 bytes as hex
 * @param {number} final the last settlement that is final on chain, 0 if none
 * @returns {Verdict}
 */
export function verdictOn(text, key, programme, final) {
  if (text.trim() === '') return nothing('Nothing to check', 'Paste an answer of the API first.');
  let pasted;
  try {
    pasted = JSON.parse(text);
  } catch (error) {
    return nothing('This is not JSON', error instanceof Error ? error.message : 'It cannot be read.');
  }
  if (Array.isArray(pasted) || (isObject(pasted) && Array.isArray(pasted.data))) {
    return nothing('These are several answers', 'Paste one of them.');
  }
  if (isObject(pasted) && typeof pasted.code === 'string' && !('counterfoil' in pasted)) {
    return nothing('This is a refusal', 'Nothing was posted, so there is nothing to promise.');
  }
  const counterfoil = isObject(pasted) && 'counterfoil' in pasted ? pasted.counterfoil : pasted;
  const verdict = verifyCounterfoil(counterfoil, key, programme);
  const fields = isObject(counterfoil) ? counterfoil : {};
  if (verdict.ok) {
    return {
      ok: true,
      headline: 'This counterfoil is genuine',
      detail: promiseOf(Number(fields.settle_by), final),
      steps: stepsOf(fields, verdict.signer).map((done) => ({ state: 'passed', text: done })),
    };
  }
  const [at, why] = REFUSALS[verdict.reason] ?? REFUSALS.malformed;
  const names = ['It has the shape of a counterfoil', 'It belongs to this programme', 'The path leads to the root',
    'The counterfoil key signed it'];
  return {
    ok: false,
    headline: at === SHAPE ? 'This cannot be read as a counterfoil' : 'This counterfoil is not genuine',
    detail: 'It proves nothing about the entry. If it came from the gateway as it is, keep it and show it to the auditor.',
    steps: names.map((name, step) => {
      if (step < at) return { state: 'passed', text: `${name}.` };
      return step === at ? { state: 'failed', text: why } : { state: 'not_run', text: `${name}: not looked at.` };
    }),
  };
}

/** @param {Record<string, unknown>} fields @param {string} signer @returns {string[]} */
function stepsOf(fields, signer) {
  const hops = Array.isArray(fields.path) ? fields.path.length : 0;
  return [
    'It has the shape of a counterfoil.',
    'It belongs to this programme.',
    hops === 0
      ? `The entry is alone in group ${fields.group}: its hash is the root.`
      : `The path of ${hops} ${hops === 1 ? 'hash' : 'hashes'} leads from the entry to the root of group ${fields.group}.`,
    `${signer} signed that root, as committed at ${fields.committed_at}. This is the counterfoil key.`,
  ];
}

/** @param {number} settleBy @param {number} final @returns {string} */
function promiseOf(settleBy, final) {
  const promise = `The operator promised: this entry is in the log by settlement ${settleBy} at the latest.`;
  return final >= settleBy
    ? `${promise} Settlement ${settleBy} is final, so the entry must be in the log now; the audit proves that it is.`
    : `${promise} That settlement is not final yet.`;
}
