import { createHash, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);
const KEY_BYTES = 32;
/** A quarter of Node's own cost: a sandbox's passwords are made for a day, and every push asks for one thrice. */
const COST: ScryptOptions = { N: 4_096 };

/** A password's salted scrypt hash as `<salt>:<key>`, both in hex. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `${salt.toString('hex')}:${(await derive(password, salt, KEY_BYTES, COST)).toString('hex')}`;
}

/** Whether a password is the one a hash was made of. */
export async function passwordMatches(password: string, hash: string): Promise<boolean> {
  const [salt = '', key = ''] = hash.split(':');
  const given = await derive(password, Buffer.from(salt, 'hex'), KEY_BYTES, COST);
  return timingSafeEqual(given, Buffer.from(key, 'hex'));
}

/** A new access token, 40 hex digits as Gitea's are. */
export function newTokenText(): string {
  return randomBytes(20).toString('hex');
}

/** What is kept of a token: it is random, so a plain hash cannot be searched backwards. */
export function hashToken(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
