/**
 * The browser's verifiers behind a pipe, so that Python can compare verdicts with its own.
 *
 *     node tests/web/verify.mjs [folder of the modules] < questions > answers
 *
 * One JSON object a line, `{"op": name, "args": {...}}`; one JSON object a line comes back, in order, with `ok` and
 * either what was asked for or a `reason`. The folder defaults to the pages' own; a test that plants a bug names a
 * changed copy. Nothing is kept between lines.
 */

import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const PAGES = fileURLToPath(new URL('../../src/counterfoil/web/static', import.meta.url));
const FLUSH_CHARACTERS = 1 << 16;

const modules = path.resolve(process.argv[2] ?? PAGES);
const proof = await import(pathToFileURL(path.join(modules, 'proof.js')));

const bytes = (value) => proof.bytesFromHex(value, 'bad_hex');
const hex = (value) => proof.hexFromBytes(value);
const bytesList = (values) => {
  if (!Array.isArray(values)) throw new proof.ProofError('bad_list');
  return values.map(bytes);
};

const OPERATIONS = {
  /** args: index, size, leaf (the 32-byte entry hash), path, root */
  inclusion: (args) => ({
    ok: proof.verifyInclusion(args.index, args.size, bytes(args.leaf), bytesList(args.path), bytes(args.root)),
  }),
  /** args: old_size, new_size, old_root, new_root, path */
  consistency: (args) => ({
    ok: proof.verifyConsistency(
      args.old_size,
      args.new_size,
      bytes(args.old_root),
      bytes(args.new_root),
      bytesList(args.path),
    ),
  }),
  /** args: leaves; answers root */
  merkle_root: (args) => ({ ok: true, root: hex(proof.merkleRoot(bytesList(args.leaves))) }),
  /** args: counterfoil, signer, programme (may be left out); answers signer, digest */
  counterfoil: (args) => proof.verifyCounterfoil(args.counterfoil, args.signer, args.programme),
  /** args: header; answers hash */
  header_hash: (args) => ({ ok: true, hash: proof.headerHash(args.header) }),
  /** args: header, chain_id, address; answers digest */
  header_digest: (args) => ({
    ok: true,
    digest: proof.headerDigest(args.header, args.chain_id, args.address),
  }),
  /** args: header; answers hash */
  closing_hash: (args) => ({ ok: true, hash: proof.closingHash(args.header) }),
  /** args: proof, root, total (decimal string) */
  liability: (args) => proof.verifyLiability(args.proof, args.root, args.total),
  /** args: currency, depth, leaves [{place, balance, commitment}]; answers hash, sum */
  sum_root: (args) => ({ ok: true, ...proof.sumTreeRoot(args.currency, args.depth, args.leaves) }),
  /** args: data; answers hash */
  keccak: (args) => ({ ok: true, hash: hex(proof.keccak256(bytes(args.data))) }),
  /** args: digest, signature; answers signer */
  recover: (args) => ({ ok: true, signer: proof.recoverSigner(args.digest, args.signature) }),
};

function answer(line) {
  let question;
  try {
    question = JSON.parse(line);
  } catch {
    return { ok: false, reason: 'bad_line' };
  }
  if (typeof question?.op !== 'string' || !Object.hasOwn(OPERATIONS, question.op))
    return { ok: false, reason: 'bad_op' };
  if (typeof question.args !== 'object' || question.args === null) return { ok: false, reason: 'bad_args' };
  try {
    return OPERATIONS[question.op](question.args);
  } catch (error) {
    if (error instanceof proof.ProofError) return { ok: false, reason: error.code };
    throw error; // a bug here, not a bad proof: the reader must see the stack, not a refusal
  }
}

async function* linesOf(stream) {
  let rest = '';
  for await (const chunk of stream) {
    const lines = chunk.split('\n');
    lines[0] = rest + lines[0];
    rest = lines.pop();
    yield* lines;
  }
  if (rest !== '') yield rest;
}

process.stdin.setEncoding('utf8');
let waiting = '';
for await (const line of linesOf(process.stdin)) {
  waiting += `${JSON.stringify(answer(line))}\n`;
  if (waiting.length >= FLUSH_CHARACTERS) {
    if (!process.stdout.write(waiting)) await once(process.stdout, 'drain');
    waiting = '';
  }
}
process.stdout.write(waiting);
