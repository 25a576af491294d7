/**
 * Keccak-256 as Ethereum uses it: Keccak-f[1600] with rate 1088 and the original padding 0x01 (not SHA-3's 0x06).
 * Source: the Keccak reference, version 3.0. Each 64-bit lane is two signed 32-bit words, low word first.
 * The tables are computed from the definition when the module is loaded.
 */

const ROUNDS = 24;
const RATE_BYTES = 136;
const LANES = 25;

/** Round constants: bit 2^j - 1 of round i is the output of the LFSR x^8 + x^6 + x^5 + x^4 + 1 at step 7i + j. */
function roundConstants() {
  const words = new Int32Array(2 * ROUNDS);
  let register = 1;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let j = 0; j <= 6; j += 1) {
      const bit = 2 ** j - 1;
      if (register & 1) words[2 * round + (bit >>> 5)] ^= 1 << (bit & 31);
      register = register & 0x80 ? ((register << 1) ^ 0x171) & 0xff : register << 1;
    }
  }
  return words;
}

/** The walk of rho and pi: step t moves lane FROM_LANE to TO_LANE[t], rotated left by ROTATION[t] bits. */
function rhoAndPi() {
  const toLane = new Uint8Array(LANES - 1);
  const rotation = new Uint8Array(LANES - 1);
  let x = 1;
  let y = 0;
  for (let t = 0; t < LANES - 1; t += 1) {
    rotation[t] = (((t + 1) * (t + 2)) / 2) % 64;
    [x, y] = [y, (2 * x + 3 * y) % 5];
    toLane[t] = x + 5 * y;
  }
  return { toLane, rotation };
}

const ROUND_CONSTANTS = roundConstants();
const { toLane: TO_LANE, rotation: ROTATION } = rhoAndPi();
const FIRST_LANE = 1; // x = 1, y = 0: where the walk starts

/** Scratch space, overwritten by every call; nothing yields in between. */
const state = new Int32Array(2 * LANES);
const column = new Int32Array(10);

/** Adds to every lane the parities of two neighbouring columns. */
function theta() {
  for (let i = 0; i < 10; i += 1) {
    column[i] = state[i] ^ state[i + 10] ^ state[i + 20] ^ state[i + 30] ^ state[i + 40];
  }
  for (let x = 0; x < 10; x += 2) {
    const left = x === 0 ? 8 : x - 2;
    const right = x === 8 ? 0 : x + 2;
    const low = column[left] ^ ((column[right] << 1) | (column[right + 1] >>> 31));
    const high = column[left + 1] ^ ((column[right + 1] << 1) | (column[right] >>> 31));
    for (let y = 0; y < 50; y += 10) {
      state[x + y] ^= low;
      state[x + y + 1] ^= high;
    }
  }
}

/** Rotates each lane and moves it to its new place. */
function rhoPi() {
  let low = state[2 * FIRST_LANE];
  let high = state[2 * FIRST_LANE + 1];
  for (let t = 0; t < LANES - 1; t += 1) {
    const at = 2 * TO_LANE[t];
    const nextLow = state[at];
    const nextHigh = state[at + 1];
    const shift = ROTATION[t] & 31; // never 0: no rotation of the walk is a multiple of 32
    const first = (low << shift) | (high >>> (32 - shift));
    const second = (high << shift) | (low >>> (32 - shift));
    const swapped = ROTATION[t] >>> 5; // a rotation by 32 more exchanges the two words
    state[at + swapped] = first;
    state[at + 1 - swapped] = second;
    low = nextLow;
    high = nextHigh;
  }
}

/** The only non-linear step: each bit with its two neighbours in the row. */
function chi() {
  for (let y = 0; y < 50; y += 10) {
    for (let word = y; word < y + 2; word += 1) {
      const lane0 = state[word];
      const lane1 = state[word + 2];
      const lane2 = state[word + 4];
      const lane3 = state[word + 6];
      const lane4 = state[word + 8];
      state[word] = lane0 ^ (~lane1 & lane2);
      state[word + 2] = lane1 ^ (~lane2 & lane3);
      state[word + 4] = lane2 ^ (~lane3 & lane4);
      state[word + 6] = lane3 ^ (~lane4 & lane0);
      state[word + 8] = lane4 ^ (~lane0 & lane1);
    }
  }
}

function permute() {
  for (let round = 0; round < ROUNDS; round += 1) {
    theta();
    rhoPi();
    chi();
    state[0] ^= ROUND_CONSTANTS[2 * round];
    state[1] ^= ROUND_CONSTANTS[2 * round + 1];
  }
}

/** @param {number} at byte of the state @param {number} byte */
function absorb(at, byte) {
  state[at >>> 2] ^= byte << ((at & 3) << 3);
}

/** @param {Uint8Array} message @returns {Uint8Array} 32 bytes */
export function keccak256(message) {
  state.fill(0);
  let at = 0;
  for (let i = 0; i < message.length; i += 1) {
    absorb(at, message[i]);
    at += 1;
    if (at === RATE_BYTES) {
      permute();
      at = 0;
    }
  }
  absorb(at, 0x01);
  absorb(RATE_BYTES - 1, 0x80);
  permute();

  const digest = new Uint8Array(32);
  for (let i = 0; i < 32; i += 1) digest[i] = state[i >>> 2] >>> ((i & 3) << 3);
  return digest;
}
