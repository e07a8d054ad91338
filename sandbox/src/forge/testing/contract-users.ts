import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { Stage } from './forge-contract.js';
import { at, fresh, person, textAt } from './scene.js';

/** Signing in, tokens, and who may make users. */
export function userContract(stage: Stage): void {
  describe('users and tokens', () => {
    it('tells which Gitea it speaks like, to anybody', async () => {
      const answer = await stage.scene.ask(undefined, 'GET', '/version');
      expect(answer.status).to.equal(200);
      expect(textAt(answer.body, 'version')).to.match(/^1\.23\.\d+/);
    });

    it('knows who asks by token, bearer token, password, or token in place of a password', async () => {
      const { ask, writer } = stage.scene;
      const ways = [
        { token: writer.token },
        { token: writer.token, scheme: 'Bearer' as const },
        { login: writer.login, password: writer.password },
        { login: writer.login, password: writer.token },
        { login: writer.token, password: 'x-oauth-basic' },
      ];
      for (const way of ways) {
        const answer = await ask(way, 'GET', '/user');
        expect(answer.status).to.equal(200);
        expect(answer.body).to.include({ login: writer.login, is_admin: false });
      }
    });

    it('refuses wrong credentials with 401, even where none are needed', async () => {
      const { ask, writer } = stage.scene;
      const wrong = [{ token: '0'.repeat(40) }, { login: writer.login, password: 'not it' }];
      for (const way of wrong) {
        for (const path of ['/user', '/version']) {
          const answer = await ask(way, 'GET', path);
          expect(answer.status).to.equal(401);
          expect(answer.body).to.have.all.keys('message', 'url');
        }
      }
      const nobody = await ask(undefined, 'GET', '/user');
      expect(nobody.status).to.equal(401);
      expect(nobody.body).to.include({ message: 'token is required' });
    });

    it('shows a token once, to its owner or an administrator who gave a password', async () => {
      const { ask, admin, writer, outsider } = stage.scene;
      const path = `/users/${writer.login}/tokens`;
      const wanted = { name: fresh('token'), scopes: ['read:user'] };
      const made = await ask({ login: writer.login, password: writer.password }, 'POST', path, wanted);
      expect(made.status).to.equal(201);
      expect(made.body).to.have.all.keys('id', 'name', 'sha1', 'token_last_eight', 'scopes');
      expect(textAt(made.body, 'sha1')).to.match(/^[0-9a-f]{40}$/);
      expect(at(made.body, 'token_last_eight')).to.equal(textAt(made.body, 'sha1').slice(-8));
      const byAdmin = await ask(admin, 'POST', path, { ...wanted, name: fresh('token') });
      expect(byAdmin.status).to.equal(201);
      const other = { login: outsider.login, password: outsider.password };
      expect(await ask(other, 'POST', path, wanted)).to.include({ status: 403 });
      expect(await ask({ token: writer.token }, 'POST', path, wanted)).to.include({ status: 401 });
      expect(await ask(undefined, 'POST', path, wanted)).to.include({ status: 403 });
      expect(await ask(admin, 'POST', '/users/nobody-here/tokens', wanted)).to.include({ status: 404 });
    });

    it('makes no token without a name or with scopes it does not know', async () => {
      const { ask, writer } = stage.scene;
      const make = (wanted: object) =>
        ask(
          { login: writer.login, password: writer.password },
          'POST',
          `/users/${writer.login}/tokens`,
          wanted,
        );
      const name = fresh('token');
      expect(await make({ scopes: ['all'] })).to.include({ status: 422 });
      expect(await make({ name })).to.include({ status: 400 });
      expect(await make({ name, scopes: ['nonsense'] })).to.include({ status: 400 });
      expect(await make({ name, scopes: ['all'] })).to.include({ status: 201 });
      expect(await make({ name, scopes: ['all'] })).to.include({ status: 400 });
    });

    it('holds a token to its scopes', async () => {
      const { ask, admin, org } = stage.scene;
      const reader = await person(ask, admin, 'reader', ['read:user']);
      expect(await ask(reader, 'GET', '/user')).to.include({ status: 200 });
      const refused = await ask({ token: reader.token }, 'GET', `/orgs/${org}`);
      expect(refused.status).to.equal(403);
      expect(textAt(refused.body, 'message')).to.include('read:organization');
      expect(
        await ask({ token: reader.token }, 'PATCH', '/user/settings', { hide_activity: true }),
      ).to.include({ status: 403 });
    });

    it('lets only administrators make users', async () => {
      const { ask, owner, admin } = stage.scene;
      const login = fresh('user');
      const wanted = { username: login, email: `${login}@example.org`, password: 'long enough' };
      expect(await ask(owner, 'POST', '/admin/users', wanted)).to.include({ status: 403 });
      expect(await ask(undefined, 'POST', '/admin/users', wanted)).to.include({ status: 401 });
      const made = await ask(admin, 'POST', '/admin/users', wanted);
      expect(made.status).to.equal(201);
      expect(made.body).to.include({ login, username: login, email: wanted.email, is_admin: false });
      expect(JSON.stringify(made.body)).not.to.include('long enough');
      expect(await ask(admin, 'POST', '/admin/users', wanted)).to.include({ status: 422 });
    });

    it('refuses users with a wrong name, without an address, or with a short password', async () => {
      const { ask, admin } = stage.scene;
      const login = fresh('user');
      const right = { username: login, email: `${login}@example.org`, password: 'long enough' };
      const make = (change: object) => ask(admin, 'POST', '/admin/users', { ...right, ...change });
      for (const username of ['', '.', '..', '../x', 'a/b', 'a b', '-a', 'a-', 'a..b', 'api', 'x.png']) {
        expect(await make({ username }), username).to.include({ status: 422 });
      }
      expect(await make({ email: undefined })).to.include({ status: 422 });
      expect(await make({ email: 'no address' })).to.include({ status: 422 });
      expect(await make({ password: 'short' })).to.include({ status: 400 });
      expect(await ask(admin, 'POST', '/admin/users', '{"username":')).to.include({ status: 422 });
      expect(await ask(admin, 'POST', '/admin/users')).to.include({ status: 422 });
    });

    it('lets whoever must change their password do nothing else', async () => {
      const { ask, admin } = stage.scene;
      const login = fresh('user');
      const password = 'long enough';
      await ask(admin, 'POST', '/admin/users', { username: login, email: `${login}@example.org`, password });
      expect(await ask({ login, password }, 'GET', '/user')).to.include({ status: 403 });
    });
  });
}
