import { expect } from 'chai';
import { describe, it } from 'mocha';
import { checkEnvSample } from './rule-env.js';
import { brief, compose, edited, type Files, GOOD, lineOf, modelOf } from './testing/recipe.js';

const check = async (files: Files) => checkEnvSample(await modelOf(files));

describe('.env.sample and what compose needs', () => {
  it('is fine when each variable has a value or a default', async () => {
    expect(await check(GOOD)).to.deep.equal([]);
  });

  it('must be there', async () => {
    const { '.env.sample': _, ...files } = GOOD;
    expect(brief(await check(files))).to.deep.equal(['env-sample-missing .env.sample']);
  });

  it('must know every variable without a default; each is named once, where it is first used', async () => {
    const files = compose('- TITLE=${TITLE}', '- TITLE=${HEADING} $HEADING\n      - X=$${NOT} ${Y:-} ${Z-}');
    const found = await check(files);
    expect(brief(found)).to.deep.equal([`env-variable-unknown ${lineOf(files, 'compose.yml', 'HEADING')}`]);
    expect(found[0]?.message).to.match(/^\$\{HEADING\} has no value.*add it to \.env\.sample/);
  });

  it('need not say what abra gives, or what abra.sh exports', async () => {
    const used =
      '- X=${DOMAIN} ${STACK_NAME} ${EXTRA_DOMAINS} ${TIMEOUT} ${LETS_ENCRYPT_ENV} ${ENABLE_BACKUPS}';
    expect(await check(compose('- TITLE=${TITLE}', used))).to.deep.equal([]);
    const files = edited(GOOD, 'abra.sh', 'APP_CONF_VERSION', 'OTHER_VERSION');
    expect(brief(await check(files))).to.deep.equal([
      `env-variable-unknown ${lineOf(GOOD, 'compose.yml', 'APP_CONF_VERSION')}`,
    ]);
  });

  it('must know variables of options too, be it in a comment', async () => {
    const files = edited(GOOD, '.env.sample', '#SMTP_HOST=mail.example.com', '');
    expect(brief(await check(files))).to.deep.equal(['env-variable-unknown compose.smtp.yml:5']);
  });

  it('must not know what only a file that is not offered needs', async () => {
    const files = { ...GOOD, 'compose.other.yml': 'services:\n  app:\n    user: ${NOBODY_KNOWS}\n' };
    expect(await check(files)).to.deep.equal([]);
  });

  it('may comment out what may be empty, but not what makes a name', async () => {
    expect(await check(edited(GOOD, '.env.sample', 'TITLE=', '#TITLE='))).to.deep.equal([]);
    const files = edited(GOOD, '.env.sample', 'SECRET_DB', '#SECRET_DB');
    const found = await check(files);
    expect(brief(found)).to.deep.equal([
      `env-variable-commented-out ${lineOf(files, '.env.sample', 'SECRET_DB_PASSWORD')}`,
    ]);
    expect(found[0]).to.include({ severity: 'warning' });
    expect(found[0]?.message).to.include(lineOf(files, 'compose.yml', '${SECRET_DB_PASSWORD_VERSION}'));
  });

  it('must not comment out what says that it is required', async () => {
    const files = edited(
      compose('TITLE=${TITLE}', 'TITLE=${TITLE:?how is it called}'),
      '.env.sample',
      'TITLE=',
      '# TITLE=',
    );
    expect(brief(await check(files))).to.deep.equal(['env-variable-commented-out .env.sample:6']);
  });
});
