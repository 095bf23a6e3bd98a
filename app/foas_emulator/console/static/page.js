// Beyond links and forms, a page follows its world, copies, and takes a dropped file.
// All works without it; it makes no HTML of what programs sent: the server has escaped it.

const frame = document.querySelector('.frame');
document.documentElement.classList.add('js');

document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy], [data-copy-next]');
  if (!button) return;
  const text = button.dataset.copy ?? button.nextElementSibling.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch { // a browser allows it at loopback addresses and under https only
    getSelection().selectAllChildren(button.parentElement.querySelector('pre, code'));
    return;
  }
  const label = button.firstChild;
  if (label.textContent === '✓') return;
  const before = label.textContent;
  label.textContent = '✓';
  setTimeout(() => { label.textContent = before; }, 1200);
});

document.addEventListener('click', (event) => {
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener('keydown', (event) => {
  const menu = event.key === 'Escape' && document.querySelector('details.menu[open]');
  if (!menu) return;
  menu.open = false;
  menu.querySelector('summary').focus();
});

// Arrow keys change a closed list: Enter chooses, or leaving it.
let isStepping = false;
let stepped = null;

function choose(field) {
  stepped = null;
  if (field.matches('[data-go]')) location.href = `${field.dataset.go}${encodeURIComponent(field.value)}/`;
  if (field.matches('[data-submit]')) field.form.requestSubmit();
}

document.addEventListener('keydown', (event) => {
  isStepping = event.target.matches('select') && !event.altKey && !['Enter', ' ', 'F4'].includes(event.key);
  if (event.key === 'Enter' && stepped) choose(stepped);
});
document.addEventListener('pointerdown', () => { isStepping = false; });
document.addEventListener('focusout', () => { if (stepped) choose(stepped); });
document.addEventListener('change', (event) => {
  if (isStepping) stepped = event.target;
  else choose(event.target);
});

// A slow call is made once.
let sent = null;

document.addEventListener('submit', (event) => {
  if (event.target.getAttribute('method') !== 'post') return; // .method may be a field
  const button = event.submitter ?? event.target;
  if (button === sent) event.preventDefault();
  sent = button;
  const focused = document.activeElement;
  const again = focused.matches(':focus-visible:not([data-live] *)') && labelOf(focused);
  sessionStorage.sent = JSON.stringify([nameOf(event.target), typedInto(event.target).map((each) => each.value), again]);
});
const forget = () => { sent = null; };
addEventListener('pageshow', forget);
window.navigation?.addEventListener('navigateerror', forget); // it was stopped

for (const place of document.querySelectorAll('[data-drop]')) {
  for (const name of ['dragover', 'dragleave', 'drop']) {
    place.addEventListener(name, (event) => {
      event.preventDefault();
      place.classList.toggle('over', name === 'dragover');
      if (name !== 'drop' || !event.dataTransfer.files.length) return;
      const field = place.querySelector('input[type=file]');
      field.files = event.dataTransfer.files;
      if (field.matches('[data-submit]')) field.form.requestSubmit();
    });
  }
}

document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });

// -- clocks

const zone = 8 * 3600 * 1000;
const written = (milliseconds) => new Date(milliseconds + zone).toISOString().slice(0, 19).replace('T', ' ');
const seen = new WeakMap();

function showTimes(root) {
  for (const time of root.querySelectorAll('time[data-ticks]')) seen.set(time, performance.now());
  for (const time of root.querySelectorAll('time[datetime]')) {
    const local = new Date(time.dateTime).toLocaleString(document.documentElement.lang);
    time.title ||= local;
    if (time.matches('[data-local]')) time.textContent = local;
  }
}

setInterval(() => {
  for (const time of document.querySelectorAll('time[data-ticks]')) {
    time.textContent = written(Date.parse(time.dateTime) + performance.now() - seen.get(time));
  }
}, 1000);
showTimes(document);

// -- what happens meanwhile

const pause = document.getElementById('pause');
const more = document.getElementById('more');
let source = null;
let hasLost = false;
let waiting = null;
let refreshed = Promise.resolve();
let fetched = 0;
let took = 0;
let missed = 0;

const isPaused = () => pause?.getAttribute('aria-pressed') === 'true';

pause?.addEventListener('click', () => {
  pause.setAttribute('aria-pressed', String(!isPaused()));
  if (!isPaused()) location.reload();
});

const number = (row) => Number(row?.dataset.number ?? 0);

function showMissed(count) {
  missed = count;
  more.hidden = !missed;
  more.textContent = `+ ${missed}`;
}

function addRows(news) {
  const table = document.querySelector('table[data-follow]');
  if (!table) return;
  showMissed(missed + news.more + (isPaused() ? news.calls : 0));
  if (isPaused() || !news.calls) return;
  document.getElementById('none')?.remove();
  const rows = table.tBodies[0];
  const last = number(rows.rows[0]);
  rows.insertAdjacentHTML('afterbegin', news.rows);
  for (const row of [...rows.rows].slice(0, news.calls)) if (number(row) <= last) row.remove();
  showTimes(rows);
  while (rows.rows.length > Number(table.dataset.most)) rows.deleteRow(-1);
}

// Rows that were added stay, unless some are missing or the journal started over.
function isSame(region, fresh) {
  const [shown, wanted] = [region, fresh].map((each) => each.querySelectorAll('tr[data-number]'));
  return shown.length === wanted.length && number(shown[0]) === number(wanted[0]);
}

// Nothing moves under a hand: a region stays while it is pointed at, holds the focus, or has an open menu.
// So does what was typed.
const isFilled = (region) => [...region.querySelectorAll('input')].some((each) => each.value !== each.defaultValue);
const isBusy = (region) => region.matches(':hover, :focus-within') || region.querySelector('details[open]');

async function refresh() {
  waiting = null;
  fetched = performance.now();
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => null); // it is down
  if (!answer?.ok) return;
  if (answer.redirected) { // to the sign-in, after a sign-out in another tab
    if (!source) return;
    source.close();
    follow();
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  took = performance.now() - fetched;
  const token = page.querySelector('#go input[name=token]')?.value;
  if (token) for (const field of document.querySelectorAll('input[name=token]')) field.value = token;
  const isOld = waiting; // there is newer news
  for (const fresh of page.querySelectorAll('[data-live]')) {
    const region = document.querySelector(`[data-live="${fresh.dataset.live}"]`);
    if (!region || region.innerHTML === fresh.innerHTML) continue;
    if (isFilled(region)) continue;
    if (region.dataset.live === 'calls' && (isPaused() || isOld || isSame(region, fresh))) continue;
    if (isBusy(region) && !['nav', 'clock', 'strip'].includes(region.dataset.live)) {
      later();
      continue;
    }
    if (region.matches(':focus-within')) continue;
    region.className = fresh.className;
    region.replaceChildren(...fresh.childNodes); // parsed once: written and parsed again, texts lose carriage returns
    showTimes(region);
    if (region.dataset.live === 'calls') showMissed(0);
  }
  showLive();
}

// One at a time, and not all the time: a page may take longer to make than its news to come, and a machine may sleep.
function later() {
  waiting ??= refreshed.then(() => setTimeout(
    () => { refreshed = refresh().catch(() => {}); },
    Math.max(250, 1000 - (performance.now() - fetched), Math.min(took, 10000)),
  ));
}

function showLive() {
  const live = document.querySelector('.live');
  if (live) live.dataset.state = source?.readyState === EventSource.OPEN ? 'on' : 'off';
}

function follow() {
  source = new EventSource(frame.dataset.events);
  source.onopen = () => { showLive(); if (hasLost) later(); }; // what happened meanwhile, perhaps in another server
  source.onerror = ({ target }) => {
    showLive();
    hasLost = true;
    if (target.readyState !== EventSource.CLOSED) return; // it tries again by itself
    setTimeout(() => { if (source === target) follow(); }, 3000); // there is no such world, for now
  };
  source.onmessage = (event) => {
    const news = JSON.parse(event.data);
    addRows(news);
    if (!isPaused()) later();
  };
}

// A page that nobody sees lets its connection go: a browser has six for a server.
document.addEventListener('visibilitychange', () => {
  source?.close();
  source = null;
  if (document.visibilityState === 'visible') {
    follow();
    later();
  }
});
if (frame && document.visibilityState === 'visible') follow();

// So is the focus of the keyboard, and what a refused form held. Last, as a browser may store nothing.
const typedInto = (form) => [...form.querySelectorAll('textarea, select, input:not([type=hidden], [type=file])')];
const told = (field) => (field.matches('[type=hidden]:not([name=token])') ? field.value : field.name);
const labelOf = (field) => field.getAttribute('aria-label') ?? (field.matches('button') && field.value);
const nameOf = (form) => [...form.elements].map(told).join();
const [name, typed, again] = JSON.parse(sessionStorage.sent ?? '[]');
delete sessionStorage.sent;
if (again) [...document.querySelectorAll('button, input, select')].find((each) => labelOf(each) === again)?.focus({ preventScroll: true });
if (name && !document.querySelector('main > .message.good')) {
  for (const form of document.forms) {
    if (nameOf(form) === name) typedInto(form).forEach((each, place) => { each.value = typed[place]; });
  }
}
