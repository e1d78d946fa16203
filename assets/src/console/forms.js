// Forms that swap the page instead of leaving it (data-swap), lists that filter while one types (data-filter), and the
// small habits of fields. Without the script they are forms like any other.
import { visit } from "./page.js";

export function forms() {
  document.addEventListener("submit", (e) => {
    const form = e.target;
    if (!form.matches("form[data-swap]") || e.defaultPrevented) return;
    e.preventDefault();
    const data = new URLSearchParams(new FormData(form, e.submitter));
    const button = e.submitter;
    button?.setAttribute("aria-disabled", "true");
    const action = e.submitter?.getAttribute("formaction") || form.getAttribute("action") || location.href;
    const done = () => button?.removeAttribute("aria-disabled");
    const get = form.method === "get";
    if (get) return void visit(`${action.split("?")[0]}?${data}`).then(done, () => (done(), form.submit()));
    // What was sent is no longer being typed: the answer says what stands in the fields now, and single keys work again.
    if (form.contains(document.activeElement)) button?.focus();
    visit(action, { init: { method: "POST", body: data }, before: () => form.reset() }).then(done, () => (done(), form.submit()));
  });

  let typing = 0;
  document.addEventListener("input", (e) => {
    e.target.dataset && (e.target.dataset.touched = "");
    const form = e.target.closest("form[data-filter]");
    if (!form) return;
    clearTimeout(typing);
    typing = setTimeout(() => {
      const data = new URLSearchParams([...new FormData(form)].filter(([, v]) => v !== ""));
      const url = `${form.getAttribute("action") || location.pathname}?${data}`;
      visit(url, { push: false }).then(() => history.replaceState(null, "", url));
    }, 150);
  });

  // ⌘↵ sends whatever the focused form sends.
  document.addEventListener("keydown", (e) => {
    if (e.key === "Enter" && (e.metaKey || e.ctrlKey)) {
      const form = e.target.closest?.("form");
      if (form) e.preventDefault(), form.requestSubmit(form.querySelector("[type=submit].primary") || undefined);
    }
  });

  // What can be undone stands for ten seconds.
  const fade = () => {
    const said = document.querySelector("#said > .said:not([data-fades])");
    if (!said) return;
    said.dataset.fades = "";
    setTimeout(() => said.remove(), Number(said.dataset.for || 10) * 1000);
  };
  fade();
  new MutationObserver(fade).observe(document.getElementById("said") || document.body, { childList: true });
}
