/**
 * The liability tree. Run by proofs.test.mjs on the pages' modules and by canary.test.mjs on changed copies: throws
 * when a module accepts what it must refuse, or the other way round.
 */

import assert from 'node:assert/strict';

import { copy, flippedHex, vectors } from './reference.mjs';

const LIMIT = 2n ** 128n;

const REFUSED_LIABILITIES = [
  ['wrong_root', (p) => (p.currency += p.currency === Number.MAX_SAFE_INTEGER ? -1 : 1)],
  ['wrong_root', (p) => (p.commitment = flippedHex(p.commitment))],
  ['wrong_total', (p) => (p.balance = String(BigInt(p.balance) + 1n))],
  ['zero_balance', (p) => (p.balance = '0')],
  ...['-1', '+1', '01', '1.0', '1e3', ' 1', '', '0x1', '１', String(LIMIT), '9'.repeat(100), 1, 1n, null].map(
    (balance) => ['bad_balance', (p) => (p.balance = balance)],
  ),
  ['bad_currency', (p) => (p.currency = '1')],
  ['bad_currency', (p) => (p.currency = -1)],
  ['bad_depth', (p) => (p.depth = 49)],
  ['bad_depth', (p) => (p.depth = -1)],
  ['bad_depth', (p) => (p.depth = 1.5)],
  ['bad_place', (p) => (p.place = 2 ** p.depth)],
  ['bad_place', (p) => (p.place = -1)],
  ['bad_commitment', (p) => (p.commitment = p.commitment.toUpperCase())],
  ['bad_siblings', (p) => (p.depth += 1)],
  ['bad_siblings', (p) => p.siblings.push({ hash: p.commitment, sum: '0' })],
  ['bad_siblings', (p) => (p.siblings = null)],
];
const REFUSED_SIBLINGS = [
  ['wrong_total', (s) => (s.sum = String(BigInt(s.sum) + 1n))],
  ['wrong_root', (s) => (s.hash = flippedHex(s.hash))],
  ['bad_sibling', (s) => (s.sum = '-1')],
  ['bad_sibling', (s) => (s.sum = String(LIMIT))],
  ['bad_sibling', (s) => (s.sum = 5)],
  ['bad_sibling', (s) => (s.sum = '00')],
  ['bad_sibling', (s) => (s.hash = s.hash.slice(0, -2))],
  ['bad_sibling', (s) => delete s.hash],
  ['sum_out_of_range', (s) => (s.sum = String(LIMIT - 1n))],
];

export function checkLiabilities({ verifyLiability, sumTreeRoot, memberCommitment }) {
  for (const { currency, depth, hash, sum, leaves, members, proofs } of vectors.sum_trees) {
    assert.deepEqual(sumTreeRoot(currency, depth, leaves), { hash, sum });
    assert.deepEqual(sumTreeRoot(currency, depth, leaves.toReversed()), { hash, sum });
    for (const { member, salt, commitment } of members) {
      assert.equal(memberCommitment(BigInt(member), salt), commitment);
    }
    for (const proof of proofs) {
      const refused = (reason, change, at) => {
        const forged = copy(proof);
        change(at === undefined ? forged : forged.siblings[at]);
        assert.deepEqual(verifyLiability(forged, hash, sum), { ok: false, reason }, `${reason}: ${change}`);
      };
      assert.deepEqual(verifyLiability(proof, hash, sum), { ok: true });
      assert.deepEqual(verifyLiability(proof, hash, BigInt(sum)), { ok: true });
      assert.deepEqual(verifyLiability(proof, flippedHex(hash), sum), { ok: false, reason: 'wrong_root' });
      assert.deepEqual(verifyLiability(proof, hash, `${sum}0`), { ok: false, reason: 'wrong_total' });
      assert.deepEqual(verifyLiability(proof, hash, `-${sum}`), { ok: false, reason: 'bad_expected_total' });
      assert.deepEqual(verifyLiability(proof, hash.slice(2), sum), {
        ok: false,
        reason: 'bad_expected_root',
      });
      for (const [reason, change] of REFUSED_LIABILITIES) refused(reason, change);
      for (let at = 0; at < depth; at += 1) {
        for (const [reason, change] of REFUSED_SIBLINGS) refused(reason, change, at);
        refused('wrong_root', (p) => (p.place ^= 1 << at)); // the same siblings on the other side
        refused('bad_siblings', (p) => p.siblings.splice(at, 1));
      }
      for (let at = 1; at < depth; at += 1) {
        refused('wrong_root', (p) => ([p.siblings[at - 1], p.siblings[at]] = [p.siblings[at], p.siblings[at - 1]]));
        // One point moved from one sibling to another: the total is kept, the tree is not.
        if (BigInt(proof.siblings[at].sum) === 0n) continue;
        refused('wrong_root', (p) => {
          p.siblings[at].sum = String(BigInt(p.siblings[at].sum) - 1n);
          p.siblings[at - 1].sum = String(BigInt(p.siblings[at - 1].sum) + 1n);
        });
      }
    }
  }
}
