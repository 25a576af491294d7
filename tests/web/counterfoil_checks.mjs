/**
 * Counterfoils and signatures. Run by proofs.test.mjs on the pages' modules and by canary.test.mjs on changed
 * copies: throws when a module accepts what it must refuse, or the other way round.
 */

import assert from 'node:assert/strict';

import { copy, flippedHex, hex, unhex, vectors } from './reference.mjs';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n; // of secp256k1

const REFUSED_COUNTERFOILS = [
  ['wrong_signer', (c) => (c.group += 1)],
  ['wrong_signer', (c) => (c.settle_by += 1)],
  ['wrong_signer', (c) => (c.programme = flippedHex(c.programme))],
  ['wrong_signer', (c) => (c.committed_at = '2001-01-01T00:00:00.000000Z')],
  ['wrong_root', (c) => (c.root = flippedHex(c.root))],
  ['wrong_root', (c) => (c.entry = flippedHex(c.entry))],
  ['bad_path', (c) => c.path.push(c.root)],
  ['bad_path', (c) => (c.path = Array(55).fill(c.root))],
  ['bad_path', (c) => (c.path = [c.root.slice(0, -2)])],
  ['bad_path', (c) => (c.path = { length: 0 })],
  ['bad_path', (c) => delete c.path],
  ['bad_count', (c) => (c.count = 0)],
  ['bad_count', (c) => (c.count = '1')],
  ['bad_place', (c) => (c.place = c.count)],
  ['bad_place', (c) => (c.place = -1)],
  ['bad_place', (c) => (c.place = 0.5)],
  ['bad_group', (c) => (c.group = 2 ** 53)],
  ['bad_group', (c) => (c.group = String(c.group))],
  ['bad_group', (c) => (c.group = null)],
  ['bad_settle_by', (c) => (c.settle_by = -1)],
  ['bad_settle_by', (c) => (c.settle_by = true)],
  ['bad_programme', (c) => (c.programme = c.programme.replace('0x', '0X'))],
  ['bad_programme', (c) => (c.programme = c.programme.slice(2))],
  ['bad_root', (c) => (c.root = `${c.root.slice(0, -1)}g`)],
  ['bad_root', (c) => (c.root = ` ${c.root.slice(0, -1)}`)],
  ['bad_root', (c) => (c.root = 7)],
  ['bad_entry', (c) => (c.entry += c.entry.slice(2))],
  ['bad_entry', (c) => (c.entry = [c.entry])],
  ...[
    '2025-12-01T10:00:00Z',
    '2025-12-01T10:00:00.000Z',
    '2025-12-01T10:00:00.000000+00:00',
    '2025-12-01t10:00:00.000000z',
    '2025-12-01 10:00:00.000000Z',
    '2025-12-01T10:00:00.000000Z\n',
    '2025-02-29T10:00:00.000000Z',
    '2025-13-01T10:00:00.000000Z',
    '2025-00-01T10:00:00.000000Z',
    '2025-12-01T24:00:00.000000Z',
    '2025-12-01T10:60:00.000000Z',
    '2025-12-31T23:59:60.000000Z',
    '1969-12-31T23:59:59.999999Z',
    '0070-01-01T00:00:00.000000Z',
    '9999-01-01T00:00:00.000000Z',
    1764583200000000,
  ].map((moment) => ['bad_committed_at', (c) => (c.committed_at = moment)]),
  ['bad_signature', (c) => delete c.signature],
  ['bad_signature', (c) => (c.signature = c.signature.slice(0, -2))],
  ['bad_signature', (c) => (c.signature += '00')],
  ['bad_signature', (c) => (c.signature = compactOf(c.signature))],
  ['bad_signature', (c) => (c.signature = signatureOf({ ...partsOf(c.signature), r: 0n }))],
  ['bad_signature', (c) => (c.signature = signatureOf({ ...partsOf(c.signature), s: 0n }))],
  ['bad_signature', (c) => (c.signature = signatureOf({ ...partsOf(c.signature), r: ORDER }))],
  ['bad_signature', (c) => (c.signature = signatureOf({ ...partsOf(c.signature), s: ORDER }))],
  ['bad_signature', (c) => (c.signature = signatureOf({ ...partsOf(c.signature), r: 5n }))], // x of no point
  ['high_s', (c) => (c.signature = twinOf(c.signature))],
  ['wrong_signer', (c) => (c.signature = signatureOf({ ...partsOf(c.signature), v: 55 - partsOf(c.signature).v }))],
  ...[0, 1, 2, 26, 29, 30, 37, 255].map((v) => [
    'bad_v',
    (c) => (c.signature = signatureOf({ ...partsOf(c.signature), v })),
  ]),
];

function partsOf(signature) {
  return {
    r: BigInt(signature.slice(0, 66)),
    s: BigInt(`0x${signature.slice(66, 130)}`),
    v: Number.parseInt(signature.slice(130), 16),
  };
}

function signatureOf({ r, s, v }) {
  const word = (natural) => natural.toString(16).padStart(64, '0');
  return `0x${word(r)}${word(s)}${v.toString(16).padStart(2, '0')}`;
}

/** The other signature that every signature has: the same signer, the same digest, n - s. */
function twinOf(signature) {
  const { r, s, v } = partsOf(signature);
  return signatureOf({ r, s: ORDER - s, v: 55 - v });
}

/** EIP-2098: the recovery bit inside s, 64 bytes. */
function compactOf(signature) {
  const bytes = unhex(signature);
  bytes[32] |= (bytes[64] - 27) << 7;
  return hex(bytes.subarray(0, 64));
}

export function checkCounterfoils({ verifyCounterfoil }) {
  for (const { counterfoil, signer, digest } of vectors.counterfoils) {
    const holds = { ok: true, signer: signer.toLowerCase(), digest };
    assert.deepEqual(verifyCounterfoil(counterfoil, signer), holds);
    assert.deepEqual(verifyCounterfoil(counterfoil, signer.toLowerCase(), counterfoil.programme), holds);
    assert.deepEqual(verifyCounterfoil({ ...counterfoil, extra: 1 }, signer), holds);
    const foreign = flippedHex(counterfoil.programme, 9);
    assert.deepEqual(verifyCounterfoil(counterfoil, signer, foreign), {
      ok: false,
      reason: 'wrong_programme',
    });
    assert.deepEqual(verifyCounterfoil(counterfoil, flippedHex(signer)), {
      ok: false,
      reason: 'wrong_signer',
    });
    for (const address of [undefined, null, '', '0x', signer.slice(0, -2), signer.replace('0x', '0X'), 7]) {
      assert.deepEqual(verifyCounterfoil(counterfoil, address), { ok: false, reason: 'bad_expected_signer' });
    }
    for (const [reason, change] of REFUSED_COUNTERFOILS) {
      const forged = copy(counterfoil);
      change(forged);
      assert.deepEqual(verifyCounterfoil(forged, signer), { ok: false, reason }, `${reason}: ${change}`);
    }
    for (const other of vectors.counterfoils) {
      if (other.counterfoil === counterfoil) continue;
      for (const name of Object.keys(counterfoil)) {
        // The last digit of an integer or a word of another group: whatever is mixed must not hold.
        const mixed = { ...copy(counterfoil), [name]: copy(other.counterfoil[name]) };
        if (JSON.stringify(mixed) === JSON.stringify(counterfoil)) continue;
        assert.equal(verifyCounterfoil(mixed, signer).ok, false, name);
      }
      assert.equal(verifyCounterfoil(counterfoil, other.signer).ok, false);
    }
  }
}

export function checkRecovery({ recoverSigner, ProofError }) {
  for (const { digest, signature, signer } of vectors.recover) {
    assert.equal(recoverSigner(digest, signature), signer.toLowerCase());
    assert.throws(() => recoverSigner(digest, twinOf(signature)), new ProofError('high_s'));
    assert.notEqual(recoverSigner(flippedHex(digest), signature), signer.toLowerCase());
  }
  // The nonce 1 makes R the generator: with s equal to the digest the key would be the point at infinity.
  const generatorX = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n;
  const five = `0x${'5'.padStart(64, '0')}`;
  const pointless = signatureOf({ r: generatorX, s: 5n, v: 27 });
  assert.throws(() => recoverSigner(five, pointless), new ProofError('bad_signature'));
  // With the other sign the two summands are equal: the addition is a doubling.
  const doubled = recoverSigner(five, signatureOf({ r: generatorX, s: 5n, v: 28 }));
  assert.equal(doubled, '0x304e86c51f4893165d254801dd797ac0e21451ee'); // the key is -10/r times the generator
}
