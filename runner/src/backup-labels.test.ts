import type { DockerService } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { backedUpVolumes, takesPart } from './backup-labels.js';

const service = (labels: Record<string, string>): DockerService => ({
  ID: 'id',
  CreatedAt: '',
  UpdatedAt: '',
  Spec: {
    Name: 's_app',
    Labels: labels,
    TaskTemplate: { ContainerSpec: { Image: 'x' } },
    Mode: { Replicated: { Replicas: 1 } },
  },
});

describe('backup labels of what is deployed', () => {
  it('take part when any service says so, in so many words', () => {
    expect(takesPart([service({}), service({ 'backupbot.backup': 'True' })])).to.equal(true);
    expect(
      takesPart([service({ 'backupbot.backup': 'false' }), service({ 'backupbot.backup': '' })]),
    ).to.equal(false);
    expect(takesPart([])).to.equal(false);
  });

  it('choose every volume whole, unless they leave one out or name paths in it', () => {
    const app = service({ 'backupbot.backup.volumes.cache': 'false', 'backupbot.backup.path': '/old/form' });
    const db = service({ 'backupbot.backup.volumes.db.path': 'backup.sql, /conf/,' });
    expect(backedUpVolumes([app, db], ['cache', 'data', 'db'])).to.deep.equal([
      { volume: 'data', paths: [] },
      { volume: 'db', paths: ['backup.sql', 'conf'] },
    ]);
  });
});
