import { app, http } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';

// What a calendar program does, from its first question to a synchronised calendar.
describe('CalDAV', () => {
  const calendar = '/admin/recipe-tests/';
  const credentials = Buffer.from(`admin:${app.secrets.admin_password}`).toString('base64');
  const dav = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
    http.request(method, path, {
      headers: { authorization: `Basic ${credentials}`, ...headers },
      ...(body === undefined ? {} : { body }),
    });

  before(async () => {
    const made = await dav('MKCALENDAR', calendar);
    expect(made.status, await made.text()).to.equal(201);
  });
  after(() => dav('DELETE', calendar));

  it('is found from the domain alone', async () => {
    const answer = await dav('PROPFIND', '/.well-known/caldav', { depth: '0' });
    expect(answer.status).to.be.oneOf([301, 302, 307]);
    expect(new URL(answer.headers.location ?? '', app.url).href).to.equal(`${app.url}/`);
  });

  it('leads from the account to its calendars', async () => {
    const property = '<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>';
    const root = await dav('PROPFIND', '/', { depth: '0', 'content-type': 'application/xml' }, property);
    expect(root.status).to.equal(207);
    expect(await root.text()).to.match(/current-user-principal>\s*<(\w+:)?href>\/admin\//);
    const home = await dav('PROPFIND', '/admin/', { depth: '1' });
    expect(await home.text()).to.include(calendar);
  });

  it('changes an event only for whom knows its latest state', async () => {
    const file = `${calendar}meeting.ics`;
    const put = (summary: string, headers: Record<string, string>) =>
      dav('PUT', file, { 'content-type': 'text/calendar', ...headers }, meeting(summary));
    const first = await put('Meeting', { 'if-none-match': '*' });
    expect(first.status).to.equal(201);
    expect((await put('Lost update', { 'if-match': '"not-its-etag"' })).status).to.equal(412);
    const second = await put('Meeting, moved', { 'if-match': first.headers.etag ?? '' });
    expect(second.status).to.equal(201);
    expect(await (await dav('GET', file)).text()).to.include('SUMMARY:Meeting\\, moved');
  });
});

function meeting(summary: string): string {
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//radicale recipe//tests//EN',
    'BEGIN:VEVENT',
    'UID:recipe-tests-meeting',
    'DTSTAMP:20260216T100000Z',
    'DTSTART:20260217T100000Z',
    'DURATION:PT1H',
    `SUMMARY:${summary.replaceAll(',', '\\,')}`,
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n');
}
