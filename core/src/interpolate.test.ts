import { expect } from 'chai';
import { describe, it } from 'mocha';
import { InputError } from './errors.js';
import { interpolate, variablesOf } from './interpolate.js';

describe('variables in compose files', () => {
  const env = { STACK_NAME: 'a_b', EMPTY: '' };

  it('stand for their values in both forms, and for nothing where they are missing', () => {
    expect(interpolate('${STACK_NAME}_db_$STACK_NAME', env)).to.equal('a_b_db_a_b');
    expect(interpolate('x${MISSING}y$MISSING', env)).to.equal('xy');
  });

  it('have defaults: with a colon also for empty values', () => {
    expect(interpolate('${EMPTY:-d} ${EMPTY-d} ${MISSING-d} ${STACK_NAME:-d}', env)).to.equal('d  d a_b');
    expect(interpolate('${MISSING:-}', env)).to.equal('');
  });

  it('are left alone behind a doubled dollar', () => {
    expect(interpolate('$$HOME costs 5$$ `$${X}`', env)).to.equal('$HOME costs 5$ `${X}`');
  });

  it('may be required', () => {
    expect(interpolate('${STACK_NAME:?must be set}', env)).to.equal('a_b');
    expect(() => interpolate('${EMPTY:?must be set}', env)).to.throw(
      InputError,
      'EMPTY is missing a value: must be set',
    );
  });

  it('can be listed, with what they say of themselves', () => {
    const use = (name: string, hasDefault = false, required = false) => ({ name, hasDefault, required });
    expect(variablesOf('$A${B} ${C:-}${D-d} ${E:?why} ${F?} $$G $${H}')).to.deep.equal([
      use('A'),
      use('B'),
      use('C', true),
      use('D', true),
      use('E', false, true),
      use('F', false, true),
    ]);
    expect(variablesOf('none costs 5$ here')).to.deep.equal([]);
  });
});
