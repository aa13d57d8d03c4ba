// Sends the same orders as the others, with Node's Promise.all(fetch): see benchmarks/senders.py.
import { createInterface } from "node:readline";

const [, , url, count, body, authorization] = process.argv;
const headers = { Authorization: authorization, "Content-Type": "application/json" };
const send = async (number) => {
  const address = `${url}/trader/v1/accounts/HASH${number}/orders`;
  const answer = await fetch(address, { method: "POST", headers, body });
  await answer.arrayBuffer();
};

// Each line on the standard input is a broadcast; printed is when it began, in Unix seconds.
for await (const line of createInterface({ input: process.stdin })) {
  const began = (performance.timeOrigin + performance.now()) / 1000;
  await Promise.all(Array.from({ length: Number(count) }, (_, number) => send(number)));
  console.log(began);
}
