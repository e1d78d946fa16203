// ⌘K: the page /console/go as a dialog that answers while one types.
export function palette() {
  const dialog = document.getElementById("go");
  if (!dialog) return;
  const box = dialog.querySelector("input");
  const found = dialog.querySelector(".found");
  let asked = 0;
  let at = 0;

  const rows = () => [...found.querySelectorAll("a, button")];
  function mark(i) {
    const all = rows();
    at = all.length ? (i + all.length) % all.length : 0;
    all.forEach((r, n) => r.classList.toggle("on", n === at));
    all[at]?.scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", all[at]?.id || "");
  }
  async function ask() {
    const mine = ++asked;
    const answer = await fetch(`/console/go?q=${encodeURIComponent(box.value)}`, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok || mine !== asked) return;
    const doc = new DOMParser().parseFromString(await answer.text(), "text/html");
    found.replaceChildren(...(doc.querySelector(".found")?.childNodes || []));
    rows().forEach((r, n) => (r.id = `go-${n}`));
    mark(0);
  }
  document.addEventListener("click", (e) => {
    if (!e.target.closest("[data-go]") || e.metaKey || e.ctrlKey) return;
    e.preventDefault();
    open();
  });
  function open() {
    if (dialog.open) return;
    box.value = "";
    dialog.showModal();
    box.focus();
    ask();
  }
  document.addEventListener("keydown", (e) => {
    if (e.key.toLowerCase() === "k" && (e.metaKey || e.ctrlKey) && !e.altKey && !e.shiftKey) e.preventDefault(), open();
  });
  box.addEventListener("input", ask);
  dialog.querySelector("form.ask").addEventListener("submit", (e) => {
    e.preventDefault();
    rows()[at]?.click();
  });
  box.addEventListener("keydown", (e) => {
    if (e.key === "ArrowDown") e.preventDefault(), mark(at + 1);
    if (e.key === "ArrowUp") e.preventDefault(), mark(at - 1);
  });
  dialog.addEventListener("click", (e) => e.target === dialog && dialog.close());
}
