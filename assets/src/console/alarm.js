// A sound when something new is wrong. Off until somebody switches it on; the choice is remembered on this machine. A
// browser lets a page speak only after somebody has touched it, which the button then says.
import { onSwap } from "./page.js";

const kept = "evenkeel-sound";

export function alarm() {
  let audio = null;
  let known = null;
  const button = () => document.querySelector("[data-sound]");
  const wanted = () => localStorage.getItem(kept) === "on";
  const list = () => new Set((document.querySelector("[data-alarms]")?.dataset.alarms || "").split(" ").filter(Boolean));

  function show() {
    const b = button();
    if (!b) return;
    b.hidden = false;
    b.setAttribute("aria-pressed", String(wanted()));
    b.querySelector("span").textContent = !wanted() ? "Sound off" : audio?.state === "running" ? "Sound on" : "Sound on after a click";
  }
  function wake() {
    if (!wanted()) return;
    audio ||= new AudioContext();
    audio.resume().then(show, () => {});
  }
  // Two calm notes, falling: heard across a room, not startling at night.
  function ring() {
    if (!wanted() || audio?.state !== "running") return;
    [784, 587].forEach((pitch, i) => {
      const note = audio.createOscillator();
      const loud = audio.createGain();
      const from = audio.currentTime + i * 0.28;
      note.frequency.value = pitch;
      loud.gain.setValueAtTime(0, from);
      loud.gain.linearRampToValueAtTime(0.25, from + 0.02);
      loud.gain.exponentialRampToValueAtTime(0.001, from + 0.6);
      note.connect(loud).connect(audio.destination);
      note.start(from);
      note.stop(from + 0.65);
    });
  }
  document.addEventListener("click", (e) => {
    if (e.target.closest("[data-sound]")) {
      localStorage.setItem(kept, wanted() ? "off" : "on");
      wake();
      if (wanted()) setTimeout(ring, 50);
      show();
    } else wake();
  });
  document.addEventListener("keydown", wake);
  const look = () => {
    const now = list();
    if (known && [...now].some((id) => !known.has(id))) ring();
    known = now;
    show();
  };
  look();
  onSwap(look);
}
