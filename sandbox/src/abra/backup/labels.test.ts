import { expect } from 'chai';
import { describe, it } from 'mocha';
import { backupPlan, hooksOf, takesPart } from './labels.js';

describe('backupbot labels', () => {
  it('make a stack take part from any of its services', () => {
    const app = { name: 'app', labels: {} };
    expect(takesPart([app, { name: 'db', labels: { 'backupbot.backup': 'true' } }])).to.equal(true);
    expect(takesPart([app, { name: 'db', labels: { 'backupbot.backup': 'false' } }])).to.equal(false);
    expect(takesPart([{ name: 'app', labels: { 'backupbot.backup': '' } }])).to.equal(false);
  });

  it('keep whole volumes unless they leave one out or choose paths in it', () => {
    const labels = {
      'backupbot.backup.volumes.cache': 'false',
      'backupbot.backup.volumes.db.path': 'backup.sql, /conf/,../../etc,',
      'backupbot.backup.path': '/old/form',
    };
    expect(backupPlan([{ name: 'app', labels }], ['cache', 'data', 'db']).volumes).to.deep.equal([
      { volume: 'data', paths: [] },
      { volume: 'db', paths: ['backup.sql', 'conf'] },
    ]);
  });

  it('name commands, each for its own service and occasion', () => {
    const services = [
      { name: 'app', labels: { 'backupbot.backup.post-hook': 'rm -f /x' } },
      {
        name: 'db',
        labels: {
          'backupbot.backup.pre-hook': "sh -c 'dump > /x'",
          'backupbot.restore.pre-hook': '/bin/bash -c "load | cat"',
        },
      },
    ];
    expect(hooksOf(services, 'backup')).to.deep.equal({
      preHooks: [{ service: 'db', command: 'dump > /x' }],
      postHooks: [{ service: 'app', command: 'rm -f /x' }],
    });
    expect(hooksOf(services, 'restore')).to.deep.equal({
      preHooks: [{ service: 'db', command: 'load | cat' }],
      postHooks: [],
    });
  });
});
