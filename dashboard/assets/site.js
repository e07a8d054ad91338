// What makes the pages quicker and live. Every page says and does the same without it, only later.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Milliseconds between two looks at an overview on which nothing goes on. */
const IDLE_MS = 30_000;

/** Where the lines of a run that goes on come from. */
let source;
/** Lines of stages whose section is not on the page yet: it comes with the next look. */
const pending = new Map();

startFilters();
startRefresh();
startLogs();
startCopying();

// Filters: the links lead to pages of their own; here they answer at once, and together.

function startFilters() {
  const nav = $('#filters');
  const find = $('#find');
  if (!nav || !find || location.pathname !== $('.brand').pathname) return;
  const chosen = { state: '', level: '', text: '' };
  find.closest('label').hidden = false;
  find.addEventListener('input', () => {
    chosen.text = find.value.trim().toLowerCase();
    show(chosen);
  });
  nav.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-filter]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const { filter, value } = link.dataset;
    if (filter === 'state' && value === '') Object.assign(chosen, { state: '', level: '' });
    else chosen[filter] = chosen[filter] === value ? '' : value;
    show(chosen);
  });
  document.addEventListener('cc-ci-updated', () => show(chosen));
}

function show(chosen) {
  let shown = 0;
  // A group that is out of sight keeps the height it had with all its rows.
  $('.overview').classList.toggle('whole', Boolean(chosen.state || chosen.level || chosen.text));
  for (const row of $$('.rows > tr')) {
    const { state, level } = row.dataset;
    const inState =
      !chosen.state || (chosen.state === 'active' ? 'active' in row.dataset : state === chosen.state);
    const isWanted =
      inState &&
      (!chosen.level || level === chosen.level) &&
      (!chosen.text || row.textContent.toLowerCase().includes(chosen.text));
    row.hidden = !isWanted;
    if (isWanted) shown += 1;
  }
  for (const link of $$('#filters a[data-filter]')) {
    const { filter, value } = link.dataset;
    const isAll = filter === 'state' && value === '';
    const isOn = isAll ? !chosen.state && !chosen.level : chosen[filter] === value;
    if (isOn) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
  $('#shown').textContent = `${shown} recipe${shown === 1 ? '' : 's'}`;
}

// Live: the page is asked for again (an ETag makes that cheap), and what differs is put in its place.

function startRefresh() {
  const isList = $('.overview') !== null;
  const seconds = Number(document.body.dataset.refresh ?? 0);
  if (!seconds && !isList) return;
  let etag;
  const look = async () => {
    let next = Number(document.body.dataset.refresh ?? 0) * 1000 || (isList ? IDLE_MS : 0);
    if (!document.hidden) {
      try {
        const headers = etag ? { 'if-none-match': etag } : {};
        const response = await fetch(location.pathname, { headers, cache: 'no-store' });
        if (response.ok) {
          etag = response.headers.get('etag');
          update(new DOMParser().parseFromString(await response.text(), 'text/html'));
        }
      } catch {
        next = Math.max(next, 5_000); // the server is away: it will be asked again
      }
    }
    if (next) setTimeout(look, next);
  };
  setTimeout(look, (seconds || IDLE_MS / 1000) * 1000);
}

function update(fresh) {
  document.title = fresh.title;
  if (fresh.body.dataset.refresh) document.body.dataset.refresh = fresh.body.dataset.refresh;
  else delete document.body.dataset.refresh;
  for (const part of $$('[data-live][id]', fresh)) replace(document.getElementById(part.id), part);
  const freshRows = $$('.overview .rows > tr', fresh);
  if ($('.overview .rows') && freshRows.length > 0) updateRows(freshRows);
  for (const section of $$('section.stage-block[id]', fresh)) {
    if (document.getElementById(section.id)) updateLog(section);
    else insertStage(section);
  }
  document.dispatchEvent(new Event('cc-ci-updated'));
}

function replace(old, fresh) {
  if (old && !old.isEqualNode(fresh) && !old.contains(document.activeElement)) old.replaceWith(fresh);
}

function updateRows(fresh) {
  const ids = new Set();
  let before = null;
  for (const row of fresh) {
    ids.add(row.id);
    const old = document.getElementById(row.id);
    if (old) {
      const hidden = old.hidden;
      old.hidden = false;
      replace(old, row);
      const now = document.getElementById(row.id);
      now.hidden = hidden;
      before = now;
    } else {
      if (before) before.after(row);
      else $('.rows').prepend(row);
      before = row;
    }
  }
  for (const row of $$('.rows > tr')) if (!ids.has(row.id)) row.remove();
}

/** A stage that has begun since the page was opened takes its place before the next one there is. */
function insertStage(section) {
  const later = [];
  for (let next = section.nextElementSibling; next; next = next.nextElementSibling)
    if (next.id) later.push(next.id);
  const place =
    later.map((id) => document.getElementById(id)).find((it) => it?.matches('section')) ??
    $('main > section:last-of-type');
  place.before(section);
  for (const log of $$('.log', section)) {
    equipLog(log);
    addPending(log);
  }
}

function updateLog(section) {
  const old = document.getElementById(section.id);
  const log = $('.log', section);
  if (log && !$('.log', old)) {
    old.append(log);
    equipLog(log);
    addPending(log);
  }
}

// Logs: live lines, search, follow, times.

function startLogs() {
  for (const log of $$('.log')) equipLog(log);
  startStream();
  // The record of a run that waited in the queue begins with the run.
  document.addEventListener('cc-ci-updated', startStream);
  const wanted = /^#L(\d+)$/.exec(location.hash);
  if (wanted && !document.getElementById(location.hash.slice(1)))
    $(`.log[open] [id$="-L${wanted[1]}"]`)?.scrollIntoView({ block: 'center' });
  openTarget();
  window.addEventListener('hashchange', openTarget);
}

function startStream() {
  const stream = $('[data-stream]')?.dataset.stream;
  if (!stream || source || !('EventSource' in window)) return;
  followRun(stream);
}

/** A line that is linked to may be in a log that is closed. */
function openTarget() {
  const id = location.hash.slice(1);
  const target = id ? document.getElementById(id) : null;
  const details = target?.closest('details');
  if (!details) return;
  details.open = true;
  target.scrollIntoView({ block: 'center' });
}

/** A closed log is equipped when it is opened: doing so with all takes longer than the first sight of the page. */
function equipLog(log) {
  if (!log.open) {
    log.addEventListener('toggle', () => equipLog(log), { once: true });
    return;
  }
  const tools = $('.log-tools', log);
  const lines = $('.lines', log);
  if (!tools || !lines) return;
  const search = element('input', { type: 'search', placeholder: 'Search this log', spellcheck: false });
  search.setAttribute('aria-label', 'Search this log');
  const found = element('span', { className: 'muted' });
  found.setAttribute('role', 'status');
  search.addEventListener('input', () => searchLog(lines, search.value.trim().toLowerCase(), found));
  tools.append(' ', search, ' ', found);
  if (lines.dataset.follow !== undefined) tools.append(' ', checkbox('Follow', true, 'following', lines));
  if ($('time', lines)) tools.append(' ', checkbox('Times', true, 'timed', lines));
}

function checkbox(text, checked, name, lines) {
  const label = element('label', {});
  const box = element('input', { type: 'checkbox', checked });
  const set = () => {
    lines.dataset[name] = box.checked ? 'on' : 'off';
    if (name === 'following' && box.checked) toEnd(lines);
  };
  box.addEventListener('change', set);
  lines.dataset[name] = 'on';
  label.append(box, ` ${text}`);
  return label;
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

function searchLog(lines, text, found) {
  let count = 0;
  for (const line of $$('.lines > div > div', lines)) {
    const isHit = text !== '' && line.textContent.toLowerCase().includes(text);
    line.classList.toggle('hit', isHit);
    line.hidden = text !== '' && !isHit;
    if (isHit) count += 1;
  }
  found.textContent = text === '' ? '' : `${count} line${count === 1 ? '' : 's'}`;
}

function toEnd(lines) {
  // In a box that grows upwards, 0 is its end.
  lines.scrollTop = lines.classList.contains('at-end') ? 0 : lines.scrollHeight;
}

/** The browser reconnects by itself, and tells the last line it has. */
function followRun(stream) {
  const last = $$('.lines[data-follow]').at(-1);
  const from = last ? `${last.closest('.log').dataset.stage}:${last.dataset.follow}` : '';
  source = new EventSource(from ? `${stream}?from=${encodeURIComponent(from)}` : stream);
  source.addEventListener('lines', (event) => addLines(JSON.parse(event.data)));
  source.addEventListener('end', () => source.close());
  window.addEventListener('pagehide', () => source.close());
}

function addPending(log) {
  const html = pending.get(log.dataset.stage);
  pending.delete(log.dataset.stage);
  if (html) addLines({ stage: log.dataset.stage, html });
}

function addLines({ stage, html }) {
  const log = $(`.log[data-stage="${CSS.escape(stage)}"]`);
  const lines = log && $('.lines', log);
  const box = lines && (lines.firstElementChild ?? lines.appendChild(element('div', {})));
  if (!box) {
    pending.set(stage, [...(pending.get(stage) ?? []), ...html]);
    return;
  }
  const template = element('template', { innerHTML: html.join('') });
  for (const line of [...template.content.children]) {
    const known = document.getElementById(line.id);
    if (known) known.replaceWith(line);
    else box.append(line);
  }
  while (box.childElementCount > 5_000) box.firstElementChild.remove();
  if (lines.dataset.following === 'on') toEnd(lines);
}

// Commands and badges are there to be copied.

function startCopying() {
  if (!navigator.clipboard) return;
  for (const pre of $$('pre.command')) {
    const button = element('button', { type: 'button', className: 'copy', textContent: 'Copy' });
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(pre.textContent);
      button.textContent = 'Copied';
    });
    pre.after(button);
  }
}
