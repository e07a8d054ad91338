import { createHmac, timingSafeEqual } from 'node:crypto';

/** The HMAC-SHA256 of these bytes, as 64 hexadecimal digits. */
export function hmacSha256(bytes: string | Uint8Array, secret: string): string {
  return createHmac('sha256', secret).update(bytes).digest('hex');
}

/**
 * Whether `signature` (hexadecimal digits) is the HMAC-SHA256 of exactly these bytes. Bytes, not what they were parsed
 * to: what is written again is not what was signed. Takes the same time whichever digit is wrong.
 */
export function isSignedWith(secret: string, bytes: Uint8Array, signature: string): boolean {
  // Buffer.from would stop at the first digit that is none, and timingSafeEqual throws where lengths differ.
  if (!/^[0-9a-f]{64}$/i.test(signature)) return false;
  const expected = createHmac('sha256', secret).update(bytes).digest();
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'));
}
