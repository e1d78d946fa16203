// Changes a piece of the page into its newer self, node by node, so that focus, scroll, selection, open details and
// half-typed fields stay where they are.
//
//   data-keep   this element belongs to the script or to whoever types: it is left alone
//   data-hold   new rows of this list wait behind "3 new" until they are asked for

const keyOf = (n) => (n.nodeType === 1 ? n.id || n.dataset.id || "" : "");

// fits reports whether one node can become the other.
function fits(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
}

// typed reports whether somebody is at work in a field, so that it must not change under their hands.
function typed(n) {
  if (n === document.activeElement) return true;
  if (n.type === "checkbox" || n.type === "radio") return n.checked !== n.defaultChecked;
  if (n.nodeName === "SELECT") return [...n.options].some((o) => o.selected !== o.defaultSelected) && n.matches("[data-touched]");
  return n.value !== n.defaultValue;
}

function attributes(from, to) {
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !(name === "open" && from.nodeName === "DETAILS") && name !== "data-touched") from.removeAttribute(name);
  }
}

export function morph(from, to) {
  if (from.nodeType !== 1) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  if (from.hasAttribute("data-keep") || from.isEqualNode(to)) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(from.nodeName)) {
    if (typed(from)) return;
    attributes(from, to);
    if (from.nodeName === "TEXTAREA") from.value = from.defaultValue = to.defaultValue;
    else if (from.nodeName === "INPUT") (from.value = to.value), (from.checked = to.defaultChecked);
    else children(from, to);
    return;
  }
  if (from.nodeName === "DETAILS" && from.open !== to.open) to.open = from.open;
  attributes(from, to);
  children(from, to);
}

function children(from, to) {
  const keyed = new Map();
  for (const n of from.childNodes) if (keyOf(n)) keyed.set(keyOf(n), n);
  const hold = from.hasAttribute("data-hold") && keyed.size > 0;
  let at = from.firstChild;
  for (const want of [...to.childNodes]) {
    const known = keyOf(want) && keyed.get(keyOf(want));
    if (known && fits(known, want)) {
      if (known !== at) from.insertBefore(known, at);
      else at = at.nextSibling;
      morph(known, want);
      continue;
    }
    if (!keyOf(want)) {
      at = seek(at, want, to);
      if (at && fits(at, want) && !comesLater(at, want)) {
        const next = at.nextSibling;
        morph(at, want);
        at = next;
        continue;
      }
    }
    const node = document.importNode(want, true);
    if (hold && keyOf(want)) (node.hidden = true), (node.dataset.waits = "");
    from.insertBefore(node, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
  for (const n of keyed.values()) if (n.parentNode === from && !stays(to, n)) n.remove();
  if (hold) held(from);
}

const alike = (a, b) => fits(a, b) && (a.nodeType !== 1 || a.className === b.className);

// seek finds the old node that a new one without a key goes on from: the one in its place, or, where that one is gone from
// the new page, one of the same make further down. What is passed over goes.
function seek(at, want, to) {
  if (!at || alike(at, want)) return at;
  for (let n = at; n; n = n.nextSibling) {
    if (keyOf(n) && stays(to, n)) break;
    if (!alike(n, want)) continue;
    for (let gone = at; gone !== n; ) {
      if ([...to.childNodes].some((c) => alike(gone, c) && follows(want, c))) return at;
      gone = gone.nextSibling;
    }
    while (at !== n) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
    return n;
  }
  return at;
}

const follows = (a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;

// comesLater reports whether an old node is met again further down the new page, so that what is wanted here is new.
function comesLater(at, want) {
  if (alike(at, want)) return false;
  for (let n = want.nextSibling; n; n = n.nextSibling) if (alike(at, n)) return true;
  return keyOf(at) !== "";
}

function stays(to, n) {
  const key = keyOf(n);
  return [...to.childNodes].some((c) => keyOf(c) === key && c.nodeName === n.nodeName);
}

// held shows the button behind which new rows of a list wait.
function held(list) {
  const rows = list.querySelectorAll(":scope > [data-waits]");
  const host = list.closest("table") || list;
  let button = host.previousElementSibling;
  if (!button || !button.matches("button.fresh")) button = null;
  if (!rows.length) return button?.remove();
  if (!button) {
    button = document.createElement("button");
    button.type = "button";
    button.className = "fresh";
    button.dataset.keep = "";
    button.addEventListener("click", () => {
      const waiting = list.querySelectorAll(":scope > [data-waits]");
      waiting.forEach((r) => (r.removeAttribute("data-waits"), (r.hidden = false)));
      button.remove();
      waiting[0]?.querySelector("a, button")?.focus();
    });
    host.before(button);
  }
  button.textContent = `${rows.length} new`;
}
