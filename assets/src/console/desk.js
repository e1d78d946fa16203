// The ticket desk: walking through the list shows each ticket beside it, half-written answers stay with their ticket,
// and others see that somebody writes. Without the script the same links and forms do the same, a page at a time.
import { onSwap, swap } from "./page.js";

const wide = matchMedia("(min-width: 761px)");
const linger = 120; // ms on a row before it is fetched, so that j j j fetches once
const beat = 10000; // ms between two words that somebody writes

export function desk() {
  if (!document.body.classList.contains("desk")) return;
  let due = 0;
  let turn = 0;

  // Only the newest of several fetches is shown.
  async function show(link) {
    clearTimeout(due);
    const mine = ++turn;
    const answer = await fetch(link.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (mine !== turn) return;
    const text = answer?.ok ? await answer.text() : "";
    if (mine !== turn) return;
    if (!text || !swap(text)) return void location.assign(link.href);
    history.replaceState(null, "", answer.url);
  }

  const row = (e) => e.target.closest?.("a[data-ticket]");
  document.addEventListener("click", (e) => {
    const link = row(e);
    if (!link || !wide.matches || e.metaKey || e.ctrlKey || e.shiftKey || e.button) return;
    e.preventDefault();
    link.focus();
    show(link);
  });
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") {
      const open = document.querySelector("details.pop[open]");
      if (!open) return;
      e.preventDefault();
      open.open = false;
      open.querySelector("summary").focus();
    }
  }, true);
  document.addEventListener("keydown", (e) => {
    if ((e.key !== "j" && e.key !== "k") || !e.defaultPrevented || !wide.matches) return;
    const link = document.activeElement?.closest("a[data-ticket]");
    clearTimeout(due);
    if (link) due = setTimeout(() => show(link), linger);
  });
  document.addEventListener("click", (e) => {
    for (const open of document.querySelectorAll("details.pop[open]")) if (!open.contains(e.target)) open.open = false;
  });

  // A half-written answer stays with its ticket until it is sent.
  const kept = (area) => `evenkeel-draft-${area.dataset.draft}`;
  document.addEventListener("input", (e) => {
    const area = e.target.closest?.("textarea[data-draft]");
    if (!area) return;
    if (area.value) sessionStorage.setItem(kept(area), area.value);
    else sessionStorage.removeItem(kept(area));
    writing(area);
  });
  document.addEventListener("submit", (e) => {
    const area = e.target.querySelector?.("textarea[data-draft]");
    if (area) sessionStorage.removeItem(kept(area));
    const open = e.target.closest("details.pop");
    if (open) open.open = false;
  });
  function restore() {
    for (const area of document.querySelectorAll("textarea[data-draft]")) {
      const words = sessionStorage.getItem(kept(area));
      if (words && !area.value && area !== document.activeElement) area.value = words;
    }
  }

  let said = 0;
  function writing(area) {
    const path = area.closest("form").dataset.writes;
    if (!path || Date.now() - said < beat) return;
    said = Date.now();
    fetch(path, { method: "POST" }).catch(() => {});
  }

  function insert(area, words) {
    const before = area.value.slice(0, area.selectionStart);
    area.setRangeText((before && !before.endsWith("\n") ? "\n\n" : "") + words, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  }
  document.addEventListener("click", async (e) => {
    const area = document.querySelector("textarea[data-draft]");
    const words = e.target.closest?.("[data-insert]");
    if (words && area) return insert(area, words.dataset.insert);
    const saved = e.target.closest?.("[data-saved]");
    if (!saved || !area || e.metaKey || e.ctrlKey) return;
    e.preventDefault();
    saved.closest("details").open = false;
    const answer = await fetch(saved.dataset.saved).catch(() => null);
    if (answer?.ok) insert(area, await answer.text());
    else location.assign(saved.href);
  });

  const count = () => {
    const n = document.querySelectorAll(".pick input:checked").length;
    for (const e of document.querySelectorAll("[data-picked]")) e.textContent = `${n} selected`;
  };
  document.addEventListener("change", (e) => e.target.closest?.(".pick") && count());

  const span = (s) => (s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} m` : s < 172800 ? `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} m` : `${Math.floor(s / 86400)} d`);
  const skew = Number(document.documentElement.dataset.now || Date.now()) - Date.now();
  function tick() {
    const now = Date.now() + (Math.abs(skew) < 1500 ? 0 : skew);
    for (const e of document.querySelectorAll("[data-left]")) {
      const text = span(Math.abs(Math.round((Date.parse(e.dataset.left) - now) / 1000)));
      if (e.textContent !== text) e.textContent = text;
    }
  }

  // A ticket that was just put there is read from its newest message; the row of it holds the keyboard.
  let shown = "";
  function settle() {
    const pane = document.querySelector(".read[data-ticket-id]");
    const id = pane?.dataset.ticketId || "";
    if (id !== shown) {
      const last = [...(pane?.querySelectorAll(".msg[id]") || [])].pop();
      const body = pane?.querySelector(".body");
      if (last && body && last.offsetTop - body.offsetTop > body.clientHeight / 2) body.scrollTop = last.offsetTop - body.offsetTop;
      shown = id;
    }
    const here = document.querySelector(".tk.cur a[data-ticket]");
    if (here && (document.activeElement === document.body || !document.activeElement)) {
      here.focus({ preventScroll: true });
      here.scrollIntoView({ block: "nearest" });
    }
    for (const b of document.querySelectorAll("[data-insert][hidden]")) if (document.querySelector("textarea[data-draft]")) b.hidden = false;
    restore();
    count();
    tick();
  }
  settle();
  onSwap(settle);
  setInterval(tick, 5000);
}
