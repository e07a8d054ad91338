import { expect } from 'chai';
import { type Event, getAsAdmin, listEvents, makeCalendar, putEvent, remove } from './calendar.js';

/** The calendar that is seeded. */
export const DIARY = '/admin/cc-ci-diary/';

const TITLE = 'Diary of Zoë';
const EVENTS: Readonly<Record<string, Event>> = {
  'tea.ics': {
    uid: 'cc-ci-tea',
    summary: 'Tea with Noël',
    start: '20260102T100000Z',
    end: '20260102T110000Z',
  },
  'walk.ics': {
    uid: 'cc-ci-walk',
    summary: 'Walk to the harbour',
    start: '20260103T140000Z',
    end: '20260103T150000Z',
  },
};

/** Makes the calendar anew, with its events. */
export async function keepDiary(): Promise<void> {
  await remove(DIARY);
  await makeCalendar(DIARY, TITLE);
  for (const [name, event] of Object.entries(EVENTS)) await putEvent(DIARY + name, event);
}

/** Asks for the calendar and its events. Throws unless they are as they were made and no event is beside them. */
export async function expectDiary(): Promise<void> {
  expect(await listEvents(DIARY)).to.deep.equal(Object.keys(EVENTS));
  for (const [name, { uid, summary, start, end }] of Object.entries(EVENTS)) {
    const text = await (await getAsAdmin(DIARY + name)).text();
    const lines = text.split('\r\n');
    for (const line of [`UID:${uid}`, `SUMMARY:${summary}`, `DTSTART:${start}`, `DTEND:${end}`]) {
      expect(lines, name).to.include(line);
    }
  }
  expect((await getAsAdmin(DIARY)).headers['content-disposition'] ?? '').to.include(
    encodeURIComponent(TITLE),
  );
}

/** Moves one event to another day, takes the other one away. */
export async function spoilDiary(): Promise<void> {
  const [[first = '', event], [second = '']] = Object.entries(EVENTS) as [[string, Event], [string, Event]];
  await putEvent(DIARY + first, { ...event, start: '20270102T100000Z', end: '20270102T110000Z' });
  expect((await remove(DIARY + second)).status).to.equal(200);
}
