/**
 * The counterfoil: the operator's signed promise that a group of entries will be settled by a named settlement.
 *
 * @typedef {object} Counterfoil as the API answers it; a name that is not listed here is ignored
 * @property {string} programme 32 bytes as hex
 * @property {number} group number of the group in its shard
 * @property {string} root 32 bytes: RFC 6962 root over the entry hashes of the group
 * @property {string} committed_at RFC 3339 in UTC with six fractional digits: 2025-12-01T10:00:00.000000Z
 * @property {number} settle_by number of the settlement that must contain the entry at the latest
 * @property {string} signature 65 bytes r || s || v, v 27 or 28
 * @property {string} entry 32 bytes: the entry's hash
 * @property {number} place of the entry in the group, from 0
 * @property {number} count entries in the group
 * @property {string[]} path from the entry up to the root, 32 bytes each
 */

import { bytesFromHex, hexFromBytes, list, record, refuse, safeNatural, sameBytes, verdictOf, word } from './bytes.js';
import { leafHash, rootFromInclusion } from './log.js';
import { recoverSigner } from './secp256k1.js';
import { domainSeparator, signedDigest, structHash, typeHash } from './typed_data.js';

const DOMAIN_TYPE = typeHash('EIP712Domain(string name,string version,bytes32 salt)');
const COUNTERFOIL_TYPE = typeHash(
  'Counterfoil(bytes32 programme,uint64 group,bytes32 root,uint64 committedAt,uint64 settleBy)',
);
const MOMENT = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{6})Z$/;
const FIRST_YEAR = 1970;
const LAST_YEAR = 9998;
const PATH_LIMIT = 54; // the longest path over 2^53 leaves

/**
 * Whether this counterfoil is a promise of that signer about that entry. Whether the entry is the one the reader
 * means, and whether the promise was kept, are other questions: compare `entry`, then ask for its inclusion.
 *
 * `place` and `count` are not signed. They only say how to walk the path, and a tree of RFC 6962 lets one path be
 * walked as (1 of 2) and as (2 of 3): do not show them as something the operator promised.
 *
 * @param {unknown} counterfoil as parsed from JSON
 * @param {string} expectedSigner 20 bytes as hex: the counterfoil key that Settlement names on chain
 * @param {string} [expectedProgramme] 32 bytes as hex; left out, the counterfoil's own word for it is taken
 * @returns {{ok: true, signer: string, digest: string} | {ok: false, reason: string}} reason is one of
 *   malformed, bad_expected_signer, bad_expected_programme, bad_programme, bad_group, bad_root, bad_committed_at,
 *   bad_settle_by, bad_signature, bad_v, high_s, bad_entry, bad_place, bad_count, bad_path,
 *   wrong_programme, wrong_root, wrong_signer
 */
export function verifyCounterfoil(counterfoil, expectedSigner, expectedProgramme) {
  return verdictOf(() => {
    const expected = bytesFromHex(expectedSigner, 'bad_expected_signer', 20);
    const fields = record(counterfoil, 'malformed');
    const programme = bytesFromHex(fields.programme, 'bad_programme', 32);
    if (expectedProgramme !== undefined) {
      const other = bytesFromHex(expectedProgramme, 'bad_expected_programme', 32);
      if (!sameBytes(programme, other)) refuse('wrong_programme');
    }
    const root = bytesFromHex(fields.root, 'bad_root', 32);
    const struct = structHash(COUNTERFOIL_TYPE, [
      programme,
      word(safeNatural(fields.group, 'bad_group')),
      root,
      word(microsOfMoment(fields.committed_at)),
      word(safeNatural(fields.settle_by, 'bad_settle_by')),
    ]);
    if (!sameBytes(groupRoot(fields), root)) refuse('wrong_root'); // cheap, so before the signature

    const digest = hexFromBytes(signedDigest(domainSeparator(DOMAIN_TYPE, [programme]), struct));
    const signer = recoverSigner(digest, fields.signature);
    if (signer !== hexFromBytes(expected)) refuse('wrong_signer');
    return { signer, digest };
  });
}

/** The root of the group that the entry's path leads to. @param {Record<string, unknown>} fields */
function groupRoot({ entry, place, count, path }) {
  const leafData = bytesFromHex(entry, 'bad_entry', 32);
  const leaves = safeNatural(count, 'bad_count');
  const index = safeNatural(place, 'bad_place');
  if (leaves === 0) refuse('bad_count');
  if (index >= leaves) refuse('bad_place');
  const nodes = Array.from(list(path, 'bad_path', PATH_LIMIT), (element) => bytesFromHex(element, 'bad_path', 32));
  return rootFromInclusion(index, leaves, leafHash(leafData), nodes);
}

/** @param {unknown} moment from 1970 to 9998, as in core/calendar @returns {bigint} microseconds since the epoch */
function microsOfMoment(moment) {
  if (typeof moment !== 'string') refuse('bad_committed_at');
  const parts = MOMENT.exec(moment);
  if (parts === null) refuse('bad_committed_at');
  const [year, month, day, hour, minute, second, micros] = parts.slice(1).map(Number);
  const seconds = Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
  // Date rolls 30 February over into March and reads the years 0 to 99 as 1900 on: only an exact echo is a date.
  const isDate = new Date(seconds * 1000).toISOString().slice(0, 19) === moment.slice(0, 19);
  if (!isDate || year < FIRST_YEAR || year > LAST_YEAR) refuse('bad_committed_at');
  return BigInt(seconds) * 1_000_000n + BigInt(micros);
}
