import { expect } from 'chai';
import { describe, it } from 'mocha';
import { parseAbraSh } from './abra-sh.js';

describe('abra.sh', () => {
  const script = `#!/bin/bash
export CONF_VERSION=v3
export  QUOTED="two words" # why
LOCAL=1
# export OLD=1

set_admin() {
  export INSIDE=\${CONF_VERSION}
  echo "not_a_function () {"
}
function backup {
  true
}
function with-dash () {
  :
}
_private ( )
{
  :
}
`;

  it('exports what its export lines say; it is not run', () => {
    const { exports } = parseAbraSh(`${script}export DANGER=$(touch /tmp/x)\n`);
    expect(exports).to.deep.equal({
      CONF_VERSION: 'v3',
      QUOTED: 'two words',
      INSIDE: 'v3',
      DANGER: '$(touch /tmp/x)',
    });
  });

  it('has functions in each form a shell knows', () => {
    expect(parseAbraSh(script).functions).to.deep.equal(['set_admin', 'backup', 'with-dash', '_private']);
  });

  it('may be missing', () => {
    expect(parseAbraSh('')).to.deep.equal({ exports: {}, functions: [] });
  });
});
