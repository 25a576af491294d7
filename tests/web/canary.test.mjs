/**
 * A check that cannot fail proves nothing: here each bug is planted in a copy of the pages' modules, and the check
 * that guards against it must notice.
 */

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { checkCounterfoils, checkRecovery } from './counterfoil_checks.mjs';
import { checkConsistency, checkInclusion } from './log_checks.mjs';
import { checkLiabilities } from './sum_tree_checks.mjs';

const PAGES = fileURLToPath(new URL('../../src/counterfoil/web/static', import.meta.url));

/** What goes wrong, the module, the text as it is, the text as planted, the check that must notice. */
const BUGS = [
  ['the leaf prefix is that of a node', 'log.js', 'LEAF_PREFIX = 0x00', 'LEAF_PREFIX = 0x01', checkInclusion],
  [
    'leaves of 64 bytes',
    'log.js',
    "preimage.set(exactBytes(leafData, 'bad_leaf', 32), 1)",
    'return sha256(Uint8Array.of(leafData.length === 64 ? 1 : 0, ...leafData))',
    checkInclusion,
  ],
  ['a cut inclusion path', 'log.js', "if (last !== 0) refuse('bad_path');", '', checkInclusion],
  [
    'an extended inclusion path',
    'log.js',
    "if (last === 0) refuse('bad_path');",
    'if (last === 0) break;',
    checkInclusion,
  ],
  [
    'an index beyond the size',
    'log.js',
    "if (place >= leaves) refuse('bad_index');",
    'place %= leaves;',
    checkInclusion,
  ],
  [
    'the last leaf without a pair',
    'log.js',
    'if (isOdd(place) || place === last) {\n      root',
    'if (isOdd(place)) {\n      root',
    checkInclusion,
  ],
  ['the old root is not compared', 'log.js', 'sameBytes(older, firstRoot) &&', '', checkConsistency],
  ['the new root is not compared', 'log.js', '&& sameBytes(newer, secondRoot)', '', checkConsistency],
  ['a cut consistency path', 'log.js', 'return last === 0 && sameBytes', 'return sameBytes', checkConsistency],
  [
    'an extended consistency path',
    'log.js',
    'if (last === 0) return false;',
    'if (last === 0) break;',
    checkConsistency,
  ],
  ['equal sizes with a path', 'log.js', 'return nodes.length === 0 && sameBytes', 'return sameBytes', checkConsistency],
  ['equal sizes with other roots', 'log.js', '&& sameBytes(firstRoot, secondRoot)', '', checkConsistency],
  [
    'any root for the empty log',
    'log.js',
    'first === 0 && !sameBytes(firstRoot, EMPTY_ROOT)',
    'false',
    checkConsistency,
  ],
  ['the high s', 'secp256k1.js', "if (s > HALF_ORDER) refuse('high_s');", '', checkCounterfoils],
  ['the high s of a lone signature', 'secp256k1.js', "if (s > HALF_ORDER) refuse('high_s');", '', checkRecovery],
  ['any v', 'secp256k1.js', "if (v !== 27 && v !== 28) refuse('bad_v');", '', checkCounterfoils],
  [
    'an x of no point',
    'secp256k1.js',
    "if (reduce(root * root) !== square) refuse('bad_signature');",
    '',
    checkCounterfoils,
  ],
  ['a sign lost in the window', 'secp256k1.js', 'y: FIELD - p.y, z: p.z', 'y: p.y, z: p.z', checkRecovery],
  ['a doubling that is an addition', 'secp256k1.js', 'if (total.z !== 0n) total = twice(total);', '', checkRecovery],
  [
    'any signer',
    'counterfoil.js',
    "if (signer !== hexFromBytes(expected)) refuse('wrong_signer');",
    '',
    checkCounterfoils,
  ],
  [
    'any entry',
    'counterfoil.js',
    "if (!sameBytes(groupRoot(fields), root)) refuse('wrong_root');",
    '',
    checkCounterfoils,
  ],
  [
    'any programme',
    'counterfoil.js',
    "if (!sameBytes(programme, other)) refuse('wrong_programme');",
    '',
    checkCounterfoils,
  ],
  ['30 February', 'counterfoil.js', 'if (!isDate || year', 'if (year', checkCounterfoils],
  ['hex with a capital X', 'bytes.js', "!value.startsWith('0x')", '!/^0x/i.test(value)', checkCounterfoils],
  ['sums that are not hashed', 'sum_tree.js', 'right.hash, word(right.sum)', 'right.hash', checkLiabilities],
  [
    'sums beyond the range',
    'sum_tree.js',
    "if (sum >> BigInt(SUM_BITS) !== 0n) refuse('sum_out_of_range');",
    '',
    checkLiabilities,
  ],
  ['leading zeros', 'bytes.js', '/^(?:0|[1-9][0-9]*)$/', '/^[0-9]+$/', checkLiabilities],
  [
    'negative numbers',
    'bytes.js',
    '!DECIMAL.test(value)) refuse(code);\n  const natural = BigInt(value);',
    '!/^-?[0-9]+$/.test(value)) refuse(code);\n  const natural = BigInt(value);\n  if (natural < 0n) return natural;',
    checkLiabilities,
  ],
  ['a balance of nothing', 'sum_tree.js', "if (balance === 0n) refuse('zero_balance');", '', checkLiabilities],
  ['any total', 'sum_tree.js', "if (node.sum !== expectedTotal) refuse('wrong_total');", '', checkLiabilities],
  [
    'any root of liabilities',
    'sum_tree.js',
    "if (!sameBytes(node.hash, expectedRoot)) refuse('wrong_root');",
    '',
    checkLiabilities,
  ],
  [
    'siblings on one side only',
    'sum_tree.js',
    'place % 2 === 0 ? parentNode(node, other) : parentNode(other, node)',
    'parentNode(node, other)',
    checkLiabilities,
  ],
  [
    'more siblings than levels',
    'sum_tree.js',
    "if (siblings.length !== depth) refuse('bad_siblings');",
    '',
    checkLiabilities,
  ],
];

let folder;
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'counterfoil-canary-'));
});
after(() => rmSync(folder, { recursive: true }));

let copies = 0;
async function changedCopy(file, from, to) {
  copies += 1;
  const modules = path.join(folder, String(copies));
  cpSync(PAGES, modules, { recursive: true, filter: (name) => name === PAGES || name.endsWith('.js') });
  writeFileSync(path.join(modules, 'package.json'), '{"type": "module"}');
  const source = readFileSync(path.join(modules, file), 'utf8');
  assert.equal(source.split(from).length, 2, `"${from}" is found once in ${file}`);
  writeFileSync(
    path.join(modules, file),
    source.replace(from, () => to),
  );
  return import(pathToFileURL(path.join(modules, 'proof.js')));
}

for (const [name, file, from, to, check] of BUGS) {
  test(`noticed: ${name}`, async () => {
    const planted = await changedCopy(file, from, to);
    assert.throws(() => check(planted), assert.AssertionError);
  });
}
