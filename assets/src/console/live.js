// One stream for each open page tells that something was recorded; the page is then fetched again, a little later than
// everybody else's, and changes in place. Without a stream the page looks by itself every half minute.
import { swap } from "./page.js";

const least = 1000; // between two fetches
const poll = 30000;

export function live() {
  if (!document.body.hasAttribute("data-live")) return;
  let due = 0;
  let busy = false;
  let again = false;
  let last = 0;

  const say = (state, words) =>
    document.querySelectorAll("[data-live-state]").forEach((e) => {
      if (e.dataset.state !== state) e.dataset.state = state;
      if (e.textContent !== words) e.textContent = words;
    });

  async function look() {
    due = 0;
    if (busy) return void (again = true);
    if (document.hidden) return void (again = true);
    busy = true;
    last = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html", "Evenkeel-Live": "1" }, redirect: "error" });
      const text = await answer.text();
      if (answer.ok && !swap(text)) say("away", "New version: reload the page");
    } catch {
      say("away", "Not live: the hub does not answer");
    }
    busy = false;
    if (again) (again = false), soon(0);
  }

  function soon(within) {
    if (due) return;
    due = setTimeout(look, Math.max(Math.random() * within, last + least - Date.now(), 0));
  }

  const wants = (topics) => {
    const mine = (document.body.dataset.live || "").split(" ");
    return mine.includes("*") || topics.some((t) => mine.includes(t));
  };
  const behind = (lag) => say("live", `Live, ${lag < 0.05 ? "0" : lag.toFixed(1)} s behind`);

  let stream;
  let missed = 0;
  function open() {
    stream = new EventSource("/console/live");
    stream.addEventListener("hello", (e) => {
      const { seq, lag } = JSON.parse(e.data);
      if (missed && seq !== missed) soon(least);
      missed = seq;
      behind(lag);
    });
    stream.addEventListener("change", (e) => {
      const { seq, topics, within, lag } = JSON.parse(e.data);
      missed = seq;
      behind(lag);
      if (wants(topics)) soon(within);
    });
    stream.addEventListener("tick", (e) => behind(JSON.parse(e.data).lag));
    stream.addEventListener("error", () => {
      say("away", "Not live: trying again");
      if (stream.readyState === EventSource.CLOSED) setTimeout(open, 5000 + Math.random() * 5000);
    });
  }
  open();
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", (e) => e.persisted && open());
  document.addEventListener("visibilitychange", () => !document.hidden && again && ((again = false), soon(0)));
  // Measurements are no entries of the journal: a page that shows them asks for itself.
  setInterval(() => {
    const every = Number(document.body.dataset.every || 0) * 1000 || (stream.readyState === EventSource.OPEN ? 0 : poll);
    if (every && Date.now() - last >= every) soon(0);
  }, 1000);
}
