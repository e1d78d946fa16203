// Single keys: they open, move and choose; they never publish or send. An element says its key with data-key; a list
// that can be walked with j and k says data-list. Nothing happens while somebody types.
import { onSwap } from "./page.js";

const typing = (t) => t.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

export function keys() {
  let at = null; // the row the keyboard is on, by key

  const rows = () => [...document.querySelectorAll("[data-list] > :not([hidden])")].filter((r) => r.querySelector("a, button, input"));
  const key = (r) => r?.id || r?.dataset.id || r?.querySelector("a")?.getAttribute("href");
  function on(row) {
    rows().forEach((r) => r.classList.toggle("on", r === row));
    at = key(row);
  }
  function step(by) {
    const all = rows();
    if (!all.length) return;
    const i = all.findIndex((r) => key(r) === at);
    const next = all[i < 0 ? 0 : Math.min(Math.max(i + by, 0), all.length - 1)];
    on(next);
    next.querySelector("a, button, input")?.focus();
    next.scrollIntoView({ block: "nearest" });
  }
  const here = () => rows().find((r) => key(r) === at);
  const shown = (e) => e && e.getClientRects().length > 0;

  // A press goes to the element that says this key: links are followed, buttons pressed, fields focused, details opened.
  function press(k) {
    const e = [...document.querySelectorAll(`[data-key="${CSS.escape(k)}"]`)].find(shown);
    if (!e) return false;
    if (e.matches("input:not([type=checkbox], [type=radio]), textarea, select")) e.focus(), e.select?.();
    else if (e.matches("details")) (e.open = !e.open), ((e.open && e.querySelector("[data-first]")) || e.querySelector("summary")).focus();
    else e.focus(), e.click();
    return true;
  }

  const does = {
    j: () => step(1),
    k: () => step(-1),
    o: () => here()?.querySelector("a")?.click(),
    x: () => here()?.querySelector("input[type=checkbox]")?.click(),
    "/": () => {
      const box = [...document.querySelectorAll("[data-search]")].find(shown);
      if (box) box.focus(), box.select();
      else document.querySelector("[data-go]")?.click();
    },
    z: () => document.querySelector("#said form button")?.click(),
    "?": () => sheet(),
  };

  document.addEventListener("focusin", (e) => {
    const row = e.target.closest?.("[data-list] > *");
    if (row) on(row);
  });
  document.addEventListener("keydown", (e) => {
    if (e.defaultPrevented || e.metaKey || e.ctrlKey || e.altKey || e.isComposing) return;
    const dialog = document.querySelector("dialog[open]");
    if (e.key === "Escape") {
      if (dialog) return;
      if (typing(e.target)) return void e.target.blur();
      const back = [...document.querySelectorAll(".crumbs a")].pop();
      if (back) back.click();
      return;
    }
    if (dialog || typing(e.target)) return;
    if (press(e.key) || (does[e.key] && rowsOr(e.key) && (does[e.key](), true))) e.preventDefault();
  });
  const rowsOr = (k) => !"jkox".includes(k) || rows().length > 0;
  onSwap(() => at && rows().forEach((r) => r.classList.toggle("on", key(r) === at)));

  async function sheet() {
    let dialog = document.querySelector("dialog.sheet");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.className = "sheet";
      dialog.setAttribute("aria-label", "Keys");
      document.body.append(dialog);
      dialog.addEventListener("click", (e) => e.target === dialog && dialog.close());
    }
    const answer = await fetch("/console/keys", { headers: { Accept: "text/html" } }).catch(() => null);
    const list = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".keylist");
    if (!list) return void location.assign("/console/keys");
    const head = document.createElement("h2");
    head.textContent = "Keys";
    dialog.replaceChildren(head, list);
    dialog.showModal();
  }
  document.addEventListener("click", (e) => {
    if (e.target.closest("[data-keys]") && !e.metaKey && !e.ctrlKey) e.preventDefault(), sheet();
  });
}
