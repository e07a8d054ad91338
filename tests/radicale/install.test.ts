import { app, http } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { after, describe, it } from 'mocha';
import { getAsAdmin, makeCalendar, putEvent, remove, signedIn } from './calendar.js';

describe('radicale', () => {
  const calendar = '/admin/cc-ci-install/';
  const event = `${calendar}appointment.ics`;

  after(() => remove(calendar));

  it('generated a password worth the name', () => {
    expect(app.secrets.admin_password).to.have.length.at.least(20);
  });

  it('leads visitors to its web interface', async () => {
    const start = await http.get('/');
    expect(start.status).to.equal(302);
    expect(new URL(start.headers.location ?? '', app.url).href).to.equal(`${app.url}/.web`);
    const web = await http.get('/.web/');
    expect(web.status).to.equal(200);
    expect(await web.text()).to.include('Radicale Web Interface');
  });

  it('asks strangers who they are', async () => {
    const answer = await http.request('PROPFIND', '/admin/', { headers: { depth: '1' } });
    expect(answer.status).to.equal(401);
    expect(answer.headers['www-authenticate']).to.equal('Basic realm="Radicale"');
  });

  it('refuses a wrong password', async () => {
    const answer = await http.request('PROPFIND', '/admin/', { headers: signedIn('not-the-password') });
    expect(answer.status).to.equal(401);
  });

  it('keeps a calendar and gives an event back as it came', async () => {
    await makeCalendar(calendar, 'Installation');
    await putEvent(event, {
      uid: 'cc-ci-install',
      summary: 'Tea with Zoë',
      start: '20260102T100000Z',
      end: '20260102T110000Z',
    });

    const got = await getAsAdmin(event);
    expect(got.status).to.equal(200);
    expect(got.headers['content-type']).to.match(/^text\/calendar/);
    expect(await got.text())
      .to.include('SUMMARY:Tea with Zoë')
      .and.to.include('DTSTART:20260102T100000Z');
  });

  it('finds the event by its day, as calendar programs ask', async () => {
    const query = (from: string, to: string) =>
      http.request('REPORT', calendar, {
        headers: { ...signedIn(), depth: '1', 'content-type': 'application/xml' },
        body: `<?xml version="1.0"?>
          <C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
            <D:prop><D:getetag/></D:prop>
            <C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">
              <C:time-range start="${from}" end="${to}"/>
            </C:comp-filter></C:comp-filter></C:filter>
          </C:calendar-query>`,
      });
    const onTheDay = await query('20260102T000000Z', '20260103T000000Z');
    expect(onTheDay.status).to.equal(207);
    expect(await onTheDay.text()).to.include(event);
    expect(await (await query('20260103T000000Z', '20260104T000000Z')).text()).to.not.include(event);
  });

  it('lets nobody write below another name', async () => {
    const answer = await http.request('MKCALENDAR', '/somebody-else/calendar/', { headers: signedIn() });
    expect(answer.status).to.equal(403);
  });

  it('holds its data in the volume, readable by no other program', async () => {
    const { stdout } = await app.exec('app', ['find', `/data/collections/collection-root${event}`]);
    expect(stdout.trim()).to.match(/appointment\.ics$/);
    const users = await app.exec('app', ['stat', '--format', '%a %U', '/etc/radicale/users']);
    expect(users.stdout.trim()).to.equal('400 radicale');
  });
});
