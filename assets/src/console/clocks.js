// Ages and countdowns between two fetches. The server's clock counts, not this machine's.
import { onSwap } from "./page.js";

const pad = (n) => String(n).padStart(2, "0");

export const age = (s) => (s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} m` : s < 172800 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`);
export const left = (s) => (s < 3600 ? `${Math.floor(s / 60)}:${pad(s % 60)}` : s < 172800 ? `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} m` : `${Math.floor(s / 86400)} d`);

export function clocks() {
  const ahead = () => Number(document.documentElement.dataset.now || Date.now()) - started;
  const started = Date.now();
  let skew = ahead();
  if (Math.abs(skew) < 1500) skew = 0;
  const put = (e, text) => e.textContent !== text && (e.textContent = text);
  function tick() {
    const now = Date.now() + skew;
    for (const e of document.querySelectorAll("[data-age]")) put(e, age(Math.max(0, Math.floor((now - Date.parse(e.dataset.age)) / 1000))));
    for (const e of document.querySelectorAll("[data-due]")) {
      const s = Math.round((Date.parse(e.dataset.due) - now) / 1000);
      if (e.hasAttribute("data-ends")) {
        put(e, left(Math.max(s, 0))); // what happens then, the hub does
        continue;
      }
      put(e, left(Math.abs(s)));
      const over = s < 0;
      const box = e.closest("[data-clock]") || e;
      box.classList.toggle("late", over);
      box.classList.toggle("soon", !over && s < Number(e.dataset.soon || 0));
    }
    for (const e of document.querySelectorAll("[data-now-in]")) {
      const parts = new Intl.DateTimeFormat("en-GB", { timeZone: e.dataset.nowIn, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(now).split(":");
      put(e.querySelector("[data-hm]"), `${parts[0]}:${parts[1]}`);
      put(e.querySelector("[data-s]"), `:${parts[2]}`);
    }
  }
  tick();
  setInterval(tick, 1000);
  onSwap(tick);
}
