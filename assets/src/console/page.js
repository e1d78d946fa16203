// Fetches a page and puts its regions in place of ours.
import { morph } from "./morph.js";

const seen = new Set();

// onSwap runs a function after every swap.
export function onSwap(fn) {
  seen.add(fn);
}

// swap takes a page that was fetched. It gives false when it is not one of ours, or of another version.
export function swap(text) {
  const doc = new DOMParser().parseFromString(text, "text/html");
  const root = document.documentElement;
  if (!doc.getElementById("main") || doc.documentElement.dataset.build !== root.dataset.build) return false;
  document.title = doc.title;
  for (const name of ["class", "data-live", "data-every"]) {
    const v = doc.body.getAttribute(name);
    if (v === null) document.body.removeAttribute(name);
    else document.body.setAttribute(name, v);
  }
  for (const id of ["rail", "tabs", "main", "said"]) {
    const from = document.getElementById(id);
    const to = doc.getElementById(id);
    if (id === "said" && !to?.firstElementChild) continue; // what was said stands until it fades, whatever is fetched meanwhile
    if (from && to) morph(from, to);
  }
  seen.forEach((fn) => fn());
  return true;
}

// visit fetches an address and swaps it in, after before(); what cannot be swapped is opened as usual.
export async function visit(url, { init = {}, push = true, before = () => {} } = {}) {
  const answer = await fetch(url, { ...init, headers: { Accept: "text/html", ...init.headers } });
  const text = await answer.text();
  before();
  if (!/text\/html/.test(answer.headers.get("Content-Type") || "") || !swap(text)) {
    location.assign(answer.url);
    return;
  }
  if (push && answer.url !== location.href) history.pushState({ swapped: true }, "", answer.url);
}

addEventListener("popstate", () => location.reload());
