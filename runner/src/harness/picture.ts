import { PNG } from 'pngjs';

/**
 * Variance of a colour (0 to 255) below which nothing can be seen. A single letter on a page of a million pixels has
 * about 3; one colour everywhere has 0.
 */
const BLANK_VARIANCE = 0.1;

/**
 * Whether there is nothing in a picture but one colour.
 * @throws Error when it is not a PNG
 */
export function isBlank(png: Buffer): boolean {
  const { data, width, height } = PNG.sync.read(png);
  return [0, 1, 2].every((channel) => variance(data, channel, width * height) < BLANK_VARIANCE);
}

/** Of one channel; pixels are red, green, blue and opacity. */
function variance(data: Buffer, channel: number, pixels: number): number {
  let sum = 0;
  let squares = 0;
  for (let at = channel; at < data.length; at += 4) {
    const value = data[at] ?? 0;
    sum += value;
    squares += value * value;
  }
  return squares / pixels - (sum / pixels) ** 2;
}
