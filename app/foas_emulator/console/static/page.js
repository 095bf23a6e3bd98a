// What a page does beyond links and forms: it follows its world, copies, and takes a dropped file.
// Everything works without it; nothing here makes HTML of what a program sent: the server has escaped it.

const frame = document.querySelector('.frame');
document.documentElement.classList.add('js');

document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy], [data-copy-next]');
  if (!button) return;
  const text = button.dataset.copy ?? button.nextElementSibling.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return; // a browser that forbids it leaves the text to be marked by hand
  }
  button.classList.add('done');
  const label = button.firstChild;
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

document.addEventListener('change', (event) => {
  const field = event.target;
  if (field.matches('[data-go]')) location.href = `${field.dataset.go}${encodeURIComponent(field.value)}/`;
  if (field.matches('[data-submit]') && field.value !== undefined) field.form.requestSubmit();
});

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
let loaded = performance.now();

function showTimes(root) {
  for (const time of root.querySelectorAll('time[datetime]')) {
    const instant = new Date(time.dateTime);
    time.title ||= instant.toLocaleString(document.documentElement.lang);
    if (time.matches('[data-local]')) time.textContent = instant.toLocaleString(document.documentElement.lang);
  }
}

setInterval(() => {
  for (const time of document.querySelectorAll('time[data-ticks]')) {
    time.textContent = written(Date.parse(time.dateTime) + performance.now() - loaded);
  }
}, 1000);
showTimes(document);

// -- what happens meanwhile

const rows = document.getElementById('rows');
const table = rows?.closest('table');
const pause = document.getElementById('pause');
const more = document.getElementById('more');
let source = null;
let waiting = null;
let fetched = 0;
let missed = 0;

const isPaused = () => pause?.getAttribute('aria-pressed') === 'true';

pause?.addEventListener('click', () => {
  pause.setAttribute('aria-pressed', String(!isPaused()));
  if (!isPaused()) location.reload();
});

function addRows(news) {
  if (!table?.hasAttribute('data-follow')) return;
  missed += news.more;
  if (isPaused()) missed += news.calls;
  more.hidden = !missed;
  more.textContent = `+ ${missed}`;
  if (isPaused() || !news.calls) return;
  document.getElementById('none')?.remove();
  rows.insertAdjacentHTML('afterbegin', news.rows);
  showTimes(rows);
  while (rows.rows.length > Number(table.dataset.most)) rows.deleteRow(-1);
}

// A region is left as it is while it is pointed at, holds the focus, or has an open menu: nothing moves under a hand.
// What was typed and not sent yet stays, too.
const isFilled = (region) => [...region.querySelectorAll('input')].some((each) => each.value !== each.defaultValue);
const isBusy = (region) => region.matches(':hover, :focus-within') || region.querySelector('details[open]');

async function refresh() {
  waiting = null;
  fetched = performance.now();
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  loaded = performance.now();
  for (const fresh of page.querySelectorAll('[data-live]')) {
    const region = document.querySelector(`[data-live="${fresh.dataset.live}"]`);
    if (!region || region.innerHTML === fresh.innerHTML) continue;
    if (isFilled(region)) continue;
    if (isBusy(region) && !['nav', 'clock', 'strip'].includes(region.dataset.live)) {
      later();
      continue;
    }
    if (region.matches(':focus-within')) continue;
    region.className = fresh.className;
    region.innerHTML = fresh.innerHTML;
    showTimes(region);
  }
  showLive();
}

function later() {
  waiting ??= setTimeout(refresh, Math.max(250, 1000 - (performance.now() - fetched)));
}

function showLive() {
  const live = document.querySelector('.live');
  if (live) live.dataset.state = source?.readyState === EventSource.OPEN ? 'on' : 'off';
}

function follow() {
  source = new EventSource(frame.dataset.events);
  source.onopen = showLive;
  source.onerror = showLive;
  source.onmessage = (event) => {
    const news = JSON.parse(event.data);
    addRows(news);
    if (!isPaused()) later();
  };
}

// A page that nobody sees lets go of its connection, of which a browser has six for a server.
document.addEventListener('visibilitychange', () => {
  source?.close();
  source = null;
  if (document.visibilityState === 'visible') {
    follow();
    later();
  }
});
if (frame && document.visibilityState === 'visible') follow();
