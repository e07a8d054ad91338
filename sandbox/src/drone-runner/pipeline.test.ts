import { expect } from 'chai';
import { describe, it } from 'mocha';
import { readPipeline, runPolicy } from './pipeline.js';

const CONFIG = `kind: secret
name: something
---
kind: pipeline
type: exec
name: test
steps:
  - name: install
    commands: ['echo "$RECIPE" \${RECIPE} $\${RECIPE}']
    environment: { LEVEL: 3, DRY: false }
  - name: teardown
    commands: [echo bye]
    when: { status: [success, failure] }
`;

describe('the pipeline of a .drone.yml', () => {
  it('is found by its name, with its steps in order', () => {
    const { steps, clone } = readPipeline(CONFIG, 'test', {});
    expect(steps.map(({ name }) => name)).to.deep.equal(['install', 'teardown']);
    expect(steps[0]?.environment).to.deep.equal({ LEVEL: '3', DRY: 'false' });
    expect(clone).to.equal(undefined);
    expect(steps.map(runPolicy)).to.deep.equal(['success', 'always']);
    expect(runPolicy({ when: { status: ['failure'] } })).to.equal('failure');
  });

  it('has what stands in braces replaced before it is read, and nothing else', () => {
    const { steps } = readPipeline(CONFIG, 'test', { RECIPE: 'radicale' });
    expect(steps[0]?.commands).to.deep.equal(['echo "$RECIPE" radicale ${RECIPE}']);
  });

  it('is what a parameter makes of it, which is why ours must not have braces', () => {
    const evil = { RECIPE: "']\n    commands: ['rm -rf /" };
    expect(() => readPipeline(CONFIG, 'test', evil)).to.throw();
    const quiet = { RECIPE: '$(id)' };
    expect(readPipeline(CONFIG, 'test', quiet).steps[0]?.commands[0]).to.contain('$(id)');
  });

  it('is refused when it is not there, not exec, or asks for more than is done', () => {
    expect(() => readPipeline(CONFIG, 'other', {})).to.throw('no pipeline called other');
    expect(() => readPipeline(CONFIG.replace('exec', 'docker'), 'test', {})).to.throw('not of type exec');
    const secret = CONFIG.replace('LEVEL: 3', 'LEVEL: { from_secret: level }');
    expect(() => readPipeline(secret, 'test', {})).to.throw('LEVEL');
    expect(() => readPipeline(CONFIG.replace('when:', 'detach: true\n    when:'), 'test', {})).to.throw(
      'detach',
    );
  });
});
