import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { entries, hex, inclusionPath, rootOf, vectors } from './reference.mjs';

const PROGRAM = fileURLToPath(new URL('verify.mjs', import.meta.url));

function answersTo(questions) {
  const input = questions.map((question) => (typeof question === 'string' ? question : JSON.stringify(question)));
  const run = spawnSync(process.execPath, [PROGRAM], {
    input: input.join('\n'),
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  assert.equal(run.stderr, '');
  assert.equal(run.status, 0);
  return run.stdout.trimEnd().split('\n').map(JSON.parse);
}

test('every operation answers, in order', () => {
  const leaves = entries(5);
  const path = inclusionPath(3, leaves).map(hex);
  const [header] = vectors.headers;
  const [recover] = vectors.recover;
  const [{ counterfoil, signer, digest }] = vectors.counterfoils;
  const tree = vectors.sum_trees[2];
  const inclusion = { index: 3, size: 5, leaf: hex(leaves[3]), path, root: hex(rootOf(leaves)) };
  const consistency = {
    old_size: 4,
    new_size: 5,
    old_root: hex(rootOf(leaves.slice(0, 4))),
    new_root: hex(rootOf(leaves)),
  };
  const asked = [
    [{ op: 'inclusion', args: inclusion }, { ok: true }],
    [{ op: 'inclusion', args: { ...inclusion, index: 2 } }, { ok: false }],
    [
      { op: 'inclusion', args: { ...inclusion, path: null } },
      { ok: false, reason: 'bad_list' },
    ],
    [{ op: 'consistency', args: { ...consistency, path: [hex(rootOf([leaves[4]]))] } }, { ok: true }],
    [{ op: 'consistency', args: { ...consistency, path: [] } }, { ok: false }],
    [
      { op: 'merkle_root', args: { leaves: leaves.map(hex) } },
      { ok: true, root: hex(rootOf(leaves)) },
    ],
    [
      { op: 'counterfoil', args: { counterfoil, signer } },
      { ok: true, signer: signer.toLowerCase(), digest },
    ],
    [
      { op: 'counterfoil', args: { counterfoil } },
      { ok: false, reason: 'bad_expected_signer' },
    ],
    [
      { op: 'header_hash', args: { header: header.header } },
      { ok: true, hash: header.hash },
    ],
    [
      { op: 'header_hash', args: {} },
      { ok: false, reason: 'malformed' },
    ],
    [
      { op: 'header_digest', args: header },
      { ok: true, digest: header.digest },
    ],
    [
      { op: 'closing_hash', args: { header: header.header } },
      { ok: true, hash: header.closing_hash },
    ],
    [{ op: 'liability', args: { proof: tree.proofs[0], root: tree.hash, total: tree.sum } }, { ok: true }],
    [
      { op: 'sum_root', args: tree },
      { ok: true, hash: tree.hash, sum: tree.sum },
    ],
    [
      { op: 'keccak', args: { data: '0x' } },
      { ok: true, hash: '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470' },
    ],
    [
      { op: 'recover', args: recover },
      { ok: true, signer: recover.signer.toLowerCase() },
    ],
    [
      { op: 'recover', args: { ...recover, signature: '0x' } },
      { ok: false, reason: 'bad_signature' },
    ],
    ['{', { ok: false, reason: 'bad_line' }],
    ['', { ok: false, reason: 'bad_line' }],
    ['null', { ok: false, reason: 'bad_op' }],
    [
      { op: 'constructor', args: {} },
      { ok: false, reason: 'bad_op' },
    ],
    [{ op: 'keccak' }, { ok: false, reason: 'bad_args' }],
  ];
  const answers = answersTo(asked.map(([question]) => question));
  assert.deepEqual(
    answers,
    asked.map(([, answer]) => answer),
  );
});

test('ten thousand lines give ten thousand answers', () => {
  const [line] = vectors.sum_trees[4].proofs;
  const { hash, sum } = vectors.sum_trees[4];
  const questions = Array.from({ length: 10_000 }, (_, i) => ({
    op: 'liability',
    args: { proof: { ...line, balance: String(BigInt(line.balance) + BigInt(i)) }, root: hash, total: sum },
  }));
  const held = answersTo(questions).map(({ ok }) => ok);
  assert.equal(held.length, 10_000);
  assert.deepEqual(held.indexOf(true), 0);
  assert.deepEqual(held.lastIndexOf(true), 0);
});
