import { app, type HttpResponse, http } from '@cc-ci/runner/harness';
import { expect } from 'chai';

/** What lets the admin in. @param password another one, to see it refused */
export function signedIn(password = app.secrets.admin_password ?? ''): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` };
}

/** An event of one hour's length. */
export interface Event {
  uid: string;
  summary: string;
  /** As iCalendar writes it: `20260102T100000Z`. */
  start: string;
  end: string;
}

/** The event as a calendar file. */
export function calendarFile({ uid, summary, start, end }: Event): string {
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//cc-ci//recipe test//EN',
    'BEGIN:VEVENT',
    `UID:${uid}`,
    'DTSTAMP:20260101T000000Z',
    `DTSTART:${start}`,
    `DTEND:${end}`,
    `SUMMARY:${summary}`,
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n');
}

/** Makes a calendar of the admin's. @param path `/admin/<name>/` */
export async function makeCalendar(path: string, title: string): Promise<void> {
  const made = await http.request('MKCALENDAR', path, {
    headers: { ...signedIn(), 'content-type': 'application/xml' },
    body: `<?xml version="1.0"?>
      <C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
        <D:set><D:prop><D:displayname>${title}</D:displayname></D:prop></D:set>
      </C:mkcalendar>`,
  });
  expect(made.status, await made.text()).to.equal(201);
}

/** Puts an event into a calendar, over the one that may be there. */
export async function putEvent(path: string, event: Event): Promise<void> {
  const put = await http.request('PUT', path, {
    headers: { ...signedIn(), 'content-type': 'text/calendar' },
    body: calendarFile(event),
  });
  expect(put.status, await put.text()).to.equal(201);
}

/** The admin's view of what is at a path. */
export function getAsAdmin(path: string): Promise<HttpResponse> {
  return http.get(path, { headers: signedIn() });
}

/** Takes a calendar or an event away. */
export function remove(path: string): Promise<HttpResponse> {
  return http.request('DELETE', path, { headers: signedIn() });
}

/** Names of what a calendar holds, sorted. */
export async function listEvents(calendar: string): Promise<string[]> {
  const answer = await http.request('PROPFIND', calendar, { headers: { ...signedIn(), depth: '1' } });
  const text = await answer.text();
  expect(answer.status, text).to.equal(207);
  return [...text.matchAll(/<(?:\w+:)?href>([^<]*)<\/(?:\w+:)?href>/g)]
    .map(([, path = '']) => path)
    .filter((path) => path.startsWith(calendar) && path !== calendar)
    .map((path) => path.slice(calendar.length))
    .sort();
}
