// Digest and signature of the reference library viem, for each EIP-712 message on standard input (one JSON object a line).
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../contracts/package.json', import.meta.url));
const { hashTypedData } = require('viem');
const { privateKeyToAccount } = require('viem/accounts');

for await (const line of createInterface({ input: process.stdin })) {
  const { key, ...message } = JSON.parse(line);
  for (const { name, type } of message.types[message.primaryType]) {
    if (type.startsWith('uint')) message.message[name] = BigInt(message.message[name]);
  }
  const account = privateKeyToAccount(key);
  const signature = await account.signTypedData(message);
  console.log(JSON.stringify([hashTypedData(message), account.address, signature]));
}
