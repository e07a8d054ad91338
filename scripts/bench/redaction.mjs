// How fast secrets are found: 100 of them in 64 MB of logs, JSON and base64, on one core. Prints JSON.
import { randomBytes, randomInt } from 'node:crypto';
import { createRedactor } from '@cc-ci/core';

const SECRETS = 100;
const CHUNK = 64 * 1024;
const ROUNDS = 5;
const secrets = Array.from({ length: SECRETS }, (_, index) => secretOf(index));
const chunks = Array.from({ length: 1024 }, chunkOf);
const whole = chunks.join('');
const redactor = createRedactor(secrets);

const text = best(() => redactor.text(whole));
const stream = best(() => {
  const filter = redactor.stream();
  return [...chunks.map((chunk) => filter.write(chunk)), filter.end()];
});
if (text.result !== stream.result.join('')) throw new Error('the stream and the whole differ');
const found = text.result.split('[redacted]').length - 1;
if (found !== chunks.length)
  throw new Error(`${chunks.length} secrets were hidden in the text, ${found} were found`);

console.log(
  JSON.stringify({
    name: 'redaction',
    secrets: SECRETS,
    megabytes: round(whole.length / 1e6),
    megabytesPerSecond: { text: text.speed, stream: stream.speed },
    limit: 100,
  }),
);

function best(work) {
  let fastest = Number.POSITIVE_INFINITY;
  let result;
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    result = work();
    fastest = Math.min(fastest, performance.now() - started);
  }
  return { result, speed: round(whole.length / 1e6 / (fastest / 1000)) };
}

/** 20 to 64 characters; every third with such that are escaped here and there. */
function secretOf(index) {
  const length = 20 + (index % 45);
  const text = randomBytes(64).toString('base64url').slice(0, length);
  return index % 3 === 0 ? `${text.slice(0, -6)}"/&+ é` : text;
}

/** 64 KiB as a run writes them, with one secret in one of its forms. */
function chunkOf(_, index) {
  const lines = [];
  let length = 0;
  const secret = secrets[index % SECRETS];
  const forms = [
    secret,
    JSON.stringify(secret),
    encodeURIComponent(secret),
    Buffer.from(`user:${secret}`).toString('base64'),
  ];
  lines.push(`password ${forms[index % forms.length]} given\n`);
  while (length < CHUNK) {
    const line = lineOf(randomInt(4));
    lines.push(line);
    length += line.length;
  }
  return lines.join('').slice(0, CHUNK);
}

function lineOf(kind) {
  const id = randomBytes(48);
  if (kind === 0)
    return `2026-11-21T10:00:00.000Z app.1.${id.toString('hex')} INFO the request took ${id[0]} ms\n`;
  if (kind === 1)
    return `{"level":"info","path":"/api/v1/things/${id[0]}?q=a%20b","agent":"Mozilla/5.0 (X11; Linux)"}\n`;
  if (kind === 2) return `${id.toString('base64')}\n`;
  return `<a href="/wiki/${id[0]}" class="link">the quick brown fox &amp; the lazy dog, number ${id[1]}</a>\n`;
}

function round(number) {
  return Math.round(number);
}
