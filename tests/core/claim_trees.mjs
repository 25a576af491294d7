// Roots and proofs of the reference library, for each list of claims on standard input (one JSON list a line).
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../contracts/package.json', import.meta.url));
const { StandardMerkleTree } = require('@openzeppelin/merkle-tree');

for await (const line of createInterface({ input: process.stdin })) {
  const tree = StandardMerkleTree.of(JSON.parse(line), ['address', 'uint16', 'uint256']);
  const proofs = [...tree.entries()].map(([place, claim]) => [claim, tree.getProof(place)]);
  console.log(JSON.stringify({ root: tree.root, proofs }));
}
