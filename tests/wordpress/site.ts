import { app, type HttpResponse, http } from '@cc-ci/runner/harness';
import { expect } from 'chai';

/** WordPress under load takes its time for the installation, not longer. */
const SLOW_MS = 60_000;

/** The name the site is installed under. */
export const SITE_TITLE = 'Gazette of Saint Zoë';

/** The administrator. The password is one of the run's secrets, so that wherever it were shown it would be hidden. */
export const admin = { name: 'editor', password: app.secrets.db_password ?? '' };

const form = (fields: Record<string, string>) => ({
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields).toString(),
  timeoutMs: SLOW_MS,
});

/** Whether the installation form has been filled in. */
export async function isInstalled(): Promise<boolean> {
  const login = await http.get('/wp-login.php');
  if (login.status === 200) return true;
  expect(login.status, 'status of the sign-in page').to.equal(302);
  expect(login.headers.location).to.include('/wp-admin/install.php');
  return false;
}

/** Fills in the installation form, if that has not been done yet. */
export async function install(): Promise<void> {
  if (await isInstalled()) return;
  const answer = await http.request(
    'POST',
    '/wp-admin/install.php?step=2',
    form({
      weblog_title: SITE_TITLE,
      user_name: admin.name,
      admin_password: admin.password,
      admin_password2: admin.password,
      pw_weak: 'on',
      admin_email: 'editor@example.org',
      blog_public: '0',
      language: '',
    }),
  );
  expect(answer.status, 'status of the installation').to.equal(200);
  expect(await answer.text()).to.include('WordPress has been installed');
}

/** Sends the sign-in form. */
export function submitSignIn(password: string): Promise<HttpResponse> {
  return http.request('POST', '/wp-login.php', form({ log: admin.name, pwd: password }));
}

/** Somebody who is signed in: asks pages and the REST API in their name. */
export interface Session {
  page(path: string): Promise<HttpResponse>;
  /** @param route of the REST API, as `/wp/v2/posts` */
  api(method: string, route: string, body?: object): Promise<HttpResponse>;
  upload(name: string, type: string, content: string | Uint8Array): Promise<HttpResponse>;
}

/** Signs the administrator in. */
export async function signIn(): Promise<Session> {
  const answer = await submitSignIn(admin.password);
  expect(answer.status, 'status after signing in').to.equal(302);
  const cookies = (answer.headers['set-cookie'] ?? '').matchAll(/\b(wordpress_\w+)=([^;,]+)/g);
  const cookie = [...cookies].map(([pair]) => pair).join('; ');
  expect(cookie, 'cookies').to.include('wordpress_logged_in_');
  const nonce = await http.get('/wp-admin/admin-ajax.php?action=rest-nonce', { headers: { cookie } });
  const headers = { cookie, 'x-wp-nonce': await nonce.text() };
  return {
    page: (path) => http.get(path, { headers: { cookie }, timeoutMs: SLOW_MS }),
    api: (method, route, body) =>
      http.request(method, apiPath(route), {
        headers: { ...headers, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
        timeoutMs: SLOW_MS,
      }),
    upload: (name, type, content) =>
      http.request('POST', apiPath('/wp/v2/media'), {
        headers: {
          ...headers,
          'content-type': type,
          'content-disposition': `attachment; filename="${name}"`,
        },
        body: content,
        timeoutMs: SLOW_MS,
      }),
  };
}

/** The REST API's address that works whatever the site's permalinks look like. */
export function apiPath(route: string): string {
  return `/?rest_route=${route.replace('?', '&')}`;
}

/** What an API answered, once its status is the right one. */
export async function json<T>(answer: HttpResponse, status: number): Promise<T> {
  expect(answer.status, await answer.text()).to.equal(status);
  return (await answer.json()) as T;
}

/** A post as the REST API shows it to visitors. */
export interface Post {
  id: number;
  slug: string;
  title: { rendered: string };
  content: { rendered: string };
}

/** An uploaded file as the REST API shows it to visitors. */
export interface Media {
  id: number;
  slug: string;
  source_url: string;
  mime_type: string;
  media_details: { width?: number; height?: number };
}
