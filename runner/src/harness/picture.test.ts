import { expect } from 'chai';
import { describe, it } from 'mocha';
import { PNG } from 'pngjs';
import { isBlank } from './picture.js';

type Colour = readonly [red: number, green: number, blue: number];

function picture(colourAt: (x: number, y: number) => Colour, width = 1280, height = 800): Buffer {
  const png = new PNG({ width, height });
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) png.data.set([...colourAt(x, y), 255], (y * width + x) * 4);
  return PNG.sync.write(png);
}

const WHITE: Colour = [255, 255, 255];
/** A letter T, 9 by 12 pixels, at 20, 20. */
const isLetter = (x: number, y: number) =>
  (y >= 20 && y < 22 && x >= 20 && x < 29) || (x >= 24 && x < 26 && y >= 20 && y < 32);

describe('a picture', () => {
  it('is blank when it is white, or of any one colour', () => {
    expect(isBlank(picture(() => WHITE))).to.equal(true);
    expect(isBlank(picture(() => [0, 0, 0]))).to.equal(true);
    expect(isBlank(picture(() => [18, 97, 201]))).to.equal(true);
  });

  it('is not blank with one letter on it', () => {
    expect(isBlank(picture((x, y) => (isLetter(x, y) ? [0, 0, 0] : WHITE)))).to.equal(false);
    expect(isBlank(picture((x, y) => (isLetter(x, y) ? [90, 90, 90] : [240, 240, 240])))).to.equal(false);
  });

  it('is not blank when colours differ that are equally bright', () => {
    expect(isBlank(picture((x) => (x < 640 ? [255, 0, 0] : [0, 130, 0])))).to.equal(false);
  });

  it('is not blank with a gradient', () => {
    expect(isBlank(picture((x) => [x / 5, x / 5, x / 5]))).to.equal(false);
    expect(isBlank(picture((_, y) => [200, 220 + y / 80, 255]))).to.equal(false);
  });

  it('is looked at when it is small, too', () => {
    expect(isBlank(picture(() => WHITE, 1, 1))).to.equal(true);
    expect(isBlank(picture((x) => (x === 0 ? WHITE : [0, 0, 0]), 2, 1))).to.equal(false);
  });

  it('must be one', () => {
    expect(() => isBlank(Buffer.from('no picture'))).to.throw();
  });
});
