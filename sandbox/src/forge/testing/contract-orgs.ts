import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { Stage } from './forge-contract.js';
import { at, fresh, listOf, numberAt, person } from './scene.js';

/** Organisations, and who belongs to them. */
export function orgContract(stage: Stage): void {
  const ask: Stage['scene']['ask'] = (...call) => stage.scene.ask(...call);

  describe('organisations', () => {
    it('shows an organisation to anybody, whatever the case of its name', async () => {
      const { org } = stage.scene;
      const answer = await ask(undefined, 'GET', `/orgs/${org.toUpperCase()}`);
      expect(answer.status).to.equal(200);
      expect(answer.body).to.include({ name: org, username: org, visibility: 'public' });
    });

    it('hides what is private from outsiders', async () => {
      const { owner, outsider } = stage.scene;
      const org = fresh('hidden');
      const made = await ask(owner, 'POST', '/orgs', { username: org, visibility: 'private' });
      expect(made.status).to.equal(201);
      expect(await ask(owner, 'GET', `/orgs/${org}`)).to.include({ status: 200 });
      expect(await ask(outsider, 'GET', `/orgs/${org}`)).to.include({ status: 404 });
      expect(await ask(undefined, 'GET', `/orgs/${org}`)).to.include({ status: 404 });
    });

    it('answers 404 with message, errors and url where there is no organisation', async () => {
      const { writer } = stage.scene;
      for (const name of ['nobody-here', writer.login]) {
        const answer = await ask(writer, 'GET', `/orgs/${name}`);
        expect(answer.status).to.equal(404);
        expect(answer.body).to.have.all.keys('message', 'errors', 'url');
      }
    });

    it('refuses names that are taken or not of the allowed form', async () => {
      const { owner, org } = stage.scene;
      for (const username of [org, owner.login, '', '../x', 'a/b', 'assets', 'x'.repeat(41)]) {
        expect(await ask(owner, 'POST', '/orgs', { username }), username).to.include({ status: 422 });
      }
      expect(await ask(undefined, 'POST', '/orgs', { username: fresh('org') })).to.include({ status: 401 });
      const odd = { username: fresh('org'), visibility: 'odd' };
      expect(await ask(owner, 'POST', '/orgs', odd)).to.include({ status: 422 });
    });
  });

  describe('membership', () => {
    it('is told to members: 204 for yes, 404 for no', async () => {
      const { admin, org, owner, writer, bot, outsider } = stage.scene;
      for (const asking of [bot, owner, writer, admin]) {
        for (const member of [bot, owner, writer]) {
          const answer = await ask(asking, 'GET', `/orgs/${org}/members/${member.login}`);
          expect(answer).to.include({ status: 204, body: undefined });
        }
        expect(await ask(asking, 'GET', `/orgs/${org}/members/${outsider.login}`)).to.include({
          status: 404,
        });
        expect(await ask(asking, 'GET', `/orgs/${org}/members/nobody-here`)).to.include({ status: 404 });
      }
      expect(await ask(bot, 'GET', `/orgs/nobody-here/members/${owner.login}`)).to.include({ status: 404 });
    });

    it('is told to outsiders only of members who show it', async () => {
      const { org, owner, writer, outsider } = stage.scene;
      const asked = await ask(outsider, 'GET', `/orgs/${org}/members/${writer.login}`);
      expect(asked.status).to.equal(303);
      const path = asked.headers.get('location') ?? '';
      expect(path).to.equal(`/api/v1/orgs/${org}/public_members/${writer.login}`);
      expect(await ask(outsider, 'GET', path)).to.include({ status: 404 });
      expect(await ask(owner, 'PUT', path)).to.include({ status: 403 });
      expect(await ask(writer, 'PUT', path)).to.include({ status: 204 });
      expect(await ask(outsider, 'GET', path)).to.include({ status: 204 });
      expect(await ask(outsider, 'GET', `/orgs/${org}/members/${outsider.login}`)).to.include({
        status: 404,
      });
      expect(await ask(undefined, 'GET', `/orgs/${org}/members/${writer.login}`)).to.include({ status: 401 });
    });

    it('comes and goes with teams', async () => {
      const { admin, org, owner, bot } = stage.scene;
      const newcomer = await person(ask, admin, 'newcomer');
      const isMember = async () =>
        (await ask(bot, 'GET', `/orgs/${org}/members/${newcomer.login}`)).status === 204;
      const wanted = { name: fresh('team'), permission: 'read', units: ['repo.code'] };
      const team = await ask(owner, 'POST', `/orgs/${org}/teams`, wanted);
      expect(team.status).to.equal(201);
      expect(team.body).to.deep.include({ permission: 'read', units_map: { 'repo.code': 'read' } });
      const seat = `/teams/${numberAt(team.body, 'id')}/members/${newcomer.login}`;
      expect(await isMember()).to.equal(false);
      for (let time = 0; time < 2; time++) expect(await ask(owner, 'PUT', seat)).to.include({ status: 204 });
      expect(await isMember()).to.equal(true);
      for (let time = 0; time < 2; time++)
        expect(await ask(owner, 'DELETE', seat)).to.include({ status: 204 });
      expect(await isMember()).to.equal(false);
      await ask(owner, 'PUT', seat);
      const member = `/orgs/${org}/members/${newcomer.login}`;
      expect(await ask(newcomer, 'DELETE', member)).to.include({ status: 403 });
      expect(await ask(owner, 'DELETE', member)).to.include({ status: 204 });
      expect(await isMember()).to.equal(false);
    });

    it('is the owners’ to give', async () => {
      const { org, owner, writer, outsider } = stage.scene;
      const team = { name: fresh('team'), permission: 'read', units: ['repo.code'] };
      for (const asking of [writer, outsider]) {
        expect(await ask(asking, 'POST', `/orgs/${org}/teams`, team)).to.include({ status: 403 });
      }
      expect(await ask(undefined, 'POST', `/orgs/${org}/teams`, team)).to.include({ status: 401 });
      const id = numberAt((await ask(owner, 'POST', `/orgs/${org}/teams`, team)).body, 'id');
      const seat = (login: string) => `/teams/${id}/members/${login}`;
      expect(await ask(writer, 'PUT', seat(writer.login))).to.include({ status: 403 });
      expect(await ask(outsider, 'PUT', seat(outsider.login))).to.include({ status: 404 });
      await ask(owner, 'PUT', seat(writer.login));
      expect(await ask(writer, 'PUT', seat(outsider.login))).to.include({ status: 404 });
      for (const none of [seat('nobody-here'), `/teams/999999/members/${owner.login}`]) {
        expect(await ask(owner, 'PUT', none), none).to.include({ status: 404 });
      }
      expect(await ask(owner, 'POST', `/orgs/${org}/teams`, team)).to.include({ status: 422 });
      for (const name of ['', 'with space', 'a/b']) {
        expect(await ask(owner, 'POST', `/orgs/${org}/teams`, { ...team, name })).to.include({ status: 422 });
      }
    });

    it('does not lose its last owner', async () => {
      const { org, owner, outsider } = stage.scene;
      expect(await ask(outsider, 'GET', `/orgs/${org}/teams`)).to.include({ status: 403 });
      const teams = listOf((await ask(owner, 'GET', `/orgs/${org}/teams`)).body);
      const owners = teams.find((team) => at(team, 'name') === 'Owners');
      const seat = `/teams/${numberAt(owners, 'id')}/members/${owner.login}`;
      expect(await ask(owner, 'DELETE', seat)).to.include({ status: 500 });
      expect(await ask(owner, 'GET', `/orgs/${org}/members/${owner.login}`)).to.include({ status: 204 });
    });
  });
}
