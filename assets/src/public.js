// The public page works without this script. It makes times local, with UTC as
// the title, and swaps the page in place when it changed. It asks nobody but
// the page's own host.
(() => {
  const d = document, home = d.body.dataset
  const here = new Intl.DateTimeFormat().resolvedOptions().timeZone
  const clock = {hour: '2-digit', minute: '2-digit', hourCycle: 'h23'}
  const shapes = {
    c: clock,
    d: {weekday: 'long', day: 'numeric', month: 'long'},
    s: {day: 'numeric', month: 'short', ...clock},
    f: {weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', ...clock, second: '2-digit'},
  }
  const format = (at, shape) => new Intl.DateTimeFormat('en-GB', shape).format(at).replace(/,| at/g, '').replace('Sept ', 'Sep ')

  // Times are written in the page's zone; elements with data-z name that zone.
  const localise = root => {
    for (const el of root.querySelectorAll('time[data-t]')) {
      const at = new Date(el.dateTime)
      if (isNaN(at)) continue
      el.title = at.toISOString().slice(0, 16).replace('T', ' ') + ' UTC'
      el.textContent = format(at, shapes[el.dataset.t] || clock)
    }
    for (const el of root.querySelectorAll('[data-z]')) {
      const at = new Date(el.dataset.z || Date.now())
      const part = new Intl.DateTimeFormat('en-GB', {timeZoneName: 'short'}).formatToParts(at).find(p => p.type == 'timeZoneName')
      el.textContent = part ? part.value : here
    }
    for (const el of root.querySelectorAll('[data-utc]')) el.hidden = true
    for (const el of root.querySelectorAll('[data-zone]')) el.textContent = 'Times are in your zone, ' + here.replace(/_/g, ' ') + '.'
  }

  const late = 180000, slow = 60000
  let version = +home.version || 0, wanted = version, fresh = Date.now(), waiting = 0, live = false

  const same = (a, b) => a.textContent == b.textContent && a.getAttribute('href') == b.getAttribute('href')
  const stops = root => [...root.querySelectorAll('a,summary,button,[tabindex]')]

  // Puts the new main in place of the old one; focus and open details stay.
  const swap = next => {
    const old = d.querySelector('main'), main = next.querySelector('main')
    if (!main) return
    const said = d.querySelector('h1').textContent
    const open = [...old.querySelectorAll('details')].map(x => [x.querySelector('summary').textContent, x.open])
    for (const x of main.querySelectorAll('details')) {
      const was = open.find(([name]) => name == x.querySelector('summary').textContent)
      if (was) x.open = was[1] || x.open
    }
    const at = old.contains(d.activeElement) ? stops(old).indexOf(d.activeElement) : -1
    const held = at < 0 ? null : d.activeElement
    localise(next)
    old.replaceWith(main)
    d.querySelector('footer').replaceWith(next.querySelector('footer'))
    d.title = next.title
    d.body.className = next.body.className
    version = +next.body.dataset.version || version
    const icon = d.querySelector('link[rel=icon]')
    if (icon) icon.href = next.querySelector('link[rel=icon]').href
    if (held) {
      const all = stops(main)
      const to = all.find(x => same(x, held)) || all[Math.min(at, all.length - 1)]
      if (to) to.focus({preventScroll: true})
    }
    const now = main.querySelector('h1').textContent
    if (now != said) d.getElementById('say').textContent = now
  }

  // Somebody is filling in a form: the page waits.
  const busy = () => [...d.querySelectorAll('main :is(input,select)')].some(x => x == d.activeElement ||
    (x.matches('[type=checkbox],[type=radio]') ? x.checked != x.defaultChecked : x.matches('input') && x.value != x.defaultValue))

  const paused = () => {
    if (Date.now() - fresh < late || d.querySelector('.paused')) return
    const p = d.createElement('p'), s = d.createElement('span')
    p.className = 'paused'
    // The sentence is put together here, so that a page holds it only when it is true.
    s.textContent = 'Last updated ' + format(new Date(fresh), clock) + '; live updates are ' + p.className + '.'
    p.append(s)
    d.querySelector('main').prepend(p)
  }

  const refresh = async () => {
    waiting = 0
    if (d.hidden || busy() || !getSelection().isCollapsed) return plan(10000)
    try {
      const answer = await fetch(location.pathname, {cache: 'no-cache', credentials: 'omit'})
      if (!answer.ok) throw answer.status
      const text = await answer.text()
      fresh = Date.now()
      swap(new DOMParser().parseFromString(text, 'text/html'))
    } catch {
      paused()
    }
    if (version < wanted) plan(5000) // a cache on the way is still showing the page before
  }
  // Everybody hears of a change at once; nobody asks for it at once.
  const plan = within => { waiting ||= setTimeout(refresh, 30 + Math.random() * within) }

  localise(d)
  if (!home.live) return
  const source = new EventSource(home.live)
  source.addEventListener('page', e => {
    const news = JSON.parse(e.data)
    live = true
    if (news.version != version) { wanted = news.version; plan(news.within) }
  })
  source.onopen = () => { live = true }
  source.onerror = () => { live = false }
  setInterval(() => { if (!live || Date.now() - fresh > 5 * slow) plan(slow / 6) }, slow)
  d.addEventListener('visibilitychange', () => { if (!d.hidden && Date.now() - fresh > slow) plan(0) })
})()
