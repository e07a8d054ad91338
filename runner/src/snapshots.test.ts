import { expect } from 'chai';
import { describe, it } from 'mocha';
import { isOf, type Snapshot } from './snapshots.js';

const STACK = 'blog-0123abcd_ci_test';
const ID = 'f9057775bd2bec92f7e204b33314e3f1';

describe('whose a snapshot is', () => {
  const ours = (snapshot: Partial<Snapshot>, recorded: string[] = []) =>
    isOf({ id: ID, hostname: 'bot', ...snapshot }, STACK, recorded);
  const volume = (name: string) => `/var/lib/docker/volumes/${name}/_data`;

  it("is told by the stack's name as tag, as host, or by its volumes", () => {
    expect(ours({ tags: [STACK] })).to.equal(true);
    expect(ours({ tags: [`${STACK}:1.0.0+2.1`] })).to.equal(true);
    expect(ours({ hostname: STACK })).to.equal(true);
    expect(ours({ paths: [volume(`${STACK}_data`)] })).to.equal(true);
    expect(ours({ paths: [volume(`${STACK}_data`), '/secrets'], tags: ['nightly'] })).to.equal(true);
  });

  it('is told by an id that the run has recorded, also a short one', () => {
    expect(ours({}, [ID])).to.equal(true);
    expect(ours({}, ['f9057775'])).to.equal(true);
    expect(ours({}, ['f905777', '', 'a'.repeat(32)])).to.equal(false);
  });

  it("is not this stack's when only the names look alike", () => {
    for (const other of [`${STACK}x`, `x${STACK}`, 'blog_ci_test', 'blog-0123abcd', `${STACK}-2`]) {
      expect(ours({ tags: [other] }), other).to.equal(false);
      expect(ours({ hostname: other }), other).to.equal(false);
      expect(ours({ paths: [volume(`${other}_data`)] }), other).to.equal(false);
    }
    expect(ours({ paths: [`/srv/${STACK}_data`] })).to.equal(false);
    expect(ours({ paths: [volume('shop_data').concat(`/volumes/${STACK}_data`)] })).to.equal(false);
    expect(ours({})).to.equal(false);
  });

  it("is nobody's to remove when another app is in it", () => {
    const both = [volume(`${STACK}_data`), volume('shop_example_org_data')];
    expect(ours({ paths: both, tags: [STACK, 'shop_example_org'] })).to.equal(false);
    expect(ours({ paths: both }, [ID])).to.equal(false);
    expect(ours({ paths: ['/secrets'], tags: [STACK, 'shop_example_org'] })).to.equal(false);
  });
});
