import { expect } from 'chai';
import { describe, it } from 'mocha';
import { checkNames } from './rule-names.js';
import { brief, compose, GOOD, lineOf, modelOf } from './testing/recipe.js';

/** The config's name with a key so long that `<key>_v99` has this many characters. */
const named = (length: number) =>
  modelOf(compose('_app_conf_${APP_CONF', `_${'x'.repeat(length - '_v99'.length)}_\${APP_CONF`));

describe('names of secrets and configs', () => {
  it('are fine as long as they leave 30 of 64 characters, an underscore and the stack’s name included', async () => {
    expect(checkNames(await modelOf(GOOD))).to.deep.equal([]);
    expect(checkNames(await named(33))).to.deep.equal([]);
  });

  it('are long from then on, and too long when 20 are not left', async () => {
    const where = lineOf(GOOD, 'compose.yml', '  app_conf:');
    expect(brief(checkNames(await named(34)))).to.deep.equal([`name-long ${where}`]);
    expect(brief(checkNames(await named(43)))).to.deep.equal([`name-long ${where}`]);
    const [found] = checkNames(await named(44));
    expect(found).to.include({ rule: 'name-too-long', where });
    expect(found?.message).to.match(
      /^the name of config app_conf is 44 characters long .* leaves 19 of .*; shorten it$/,
    );
  });

  it('count by their key when they have no name', async () => {
    const long = 'k'.repeat(50);
    const files = compose(
      '  db_password:\n    external: true\n',
      `  ${long}:\n    external: true\n  db_password:\n    external: true\n`,
    );
    expect(checkNames(await modelOf(files))[0]?.message).to.include(`secret ${long} is 50 characters`);
  });

  it('do not count when they are the same in every stack', async () => {
    const files = compose('name: ${STACK_NAME}_db_password_', `name: ${'shared'.repeat(9)}_`);
    expect(checkNames(await modelOf(files))).to.deep.equal([]);
  });
});
