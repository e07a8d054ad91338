import { expect } from 'chai';
import { describe, it } from 'mocha';
import { orderByRecipe } from './reading-order.js';

describe('the order in which runs are read', () => {
  const RECIPES: Record<string, string> = { a1: 'a', b1: 'b', a2: 'a', b2: 'b' };
  const order = (...folders: string[]) =>
    orderByRecipe(
      folders.map((folder) => ({ folder, build: undefined, pageKey: undefined })),
      (folder) => RECIPES[folder],
    );

  it('keeps those of a recipe together, behind those that no engine knows', () => {
    const { readings } = order('a1', 'x1', 'b1', 'a2', 'x2', 'b2');
    expect(readings.map(({ folder }) => folder)).to.deep.equal(['x1', 'x2', 'a1', 'a2', 'b1', 'b2']);
  });

  it('tells when all of a recipe were read, in whatever order they come', () => {
    const { readOne } = order('a1', 'x1', 'b1', 'a2', 'b2');
    const told = ['b2', 'a2', 'x1', 'a1', 'b1'].map(readOne);
    expect(told).to.deep.equal([undefined, undefined, undefined, 'a', 'b']);
  });
});
