"""Floor 1, the rules: entries, lots, verbs, netting, trees and the bytes of all of them.

Pure: no input or output, no clock, no randomness, no framework; time and salts are handed in.
It may import the standard library, a keccak and msgspec (records at C speed); everybody may import it. SPEC.md beside this
file is normative: a stranger writes a second auditor from it. Decided against: decimals (integers
and one module of division), JSON as a preimage, registries that an old entry would need to be read.
"""
