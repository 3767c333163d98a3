// What every page has: theme, mute, keys, and a word of what became of an action.
import { live } from "./changes.js";

export const words = document.getElementById("words").dataset;

export function toast(text, wrong = false) {
  const shown = document.getElementById("toast");
  shown.textContent = text;
  shown.classList.toggle("wrong", wrong);
  clearTimeout(toast.timer);
  if (!wrong) toast.timer = setTimeout(() => (shown.textContent = ""), 4000);
}

// Part of a page, drawn by the server; null when there is nothing to see any more. A session that is over leads to signing in.
export async function part(url) {
  const answer = await fetch(url, { headers: { "X-Part": "1" } });
  if (answer.status === 401) location.reload();
  if (answer.status === 204) return null;
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.text();
}

export function nodesOf(html, inside = "div") {
  const template = document.createElement("template");
  template.innerHTML = inside === "tbody" ? `<table><tbody>${html}</tbody></table>` : html;
  return inside === "tbody" ? [...template.content.querySelectorAll("tbody > tr")] : [...template.content.children];
}

// --- sound: only for what cannot wait, and one key for silence ---
const mute = document.getElementById("mute");
const muted = () => localStorage.getItem("muted") === "1";
function showMute() {
  mute.textContent = muted() ? mute.dataset.unmute : mute.dataset.mute;
  mute.setAttribute("aria-pressed", String(muted()));
}
function toggleMute() {
  localStorage.setItem("muted", muted() ? "0" : "1");
  showMute();
}
mute.addEventListener("click", toggleMute);
showMute();

let audio;
export function ring() {
  document.body.dataset.rung = String(Number(document.body.dataset.rung ?? 0) + 1);
  if (muted()) return;
  audio ??= new AudioContext();
  const tone = audio.createOscillator();
  const level = audio.createGain();
  level.gain.value = 0.08;
  tone.frequency.value = 880;
  tone.connect(level).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.25);
}

// --- light or dark ---
document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
});

// --- keys ---
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
  if (event.key === "m") toggleMute();
  if (event.key === "?") document.getElementById("help").showModal();
  if (event.key === "/") {
    const first = document.querySelector(".filters select");
    if (first) {
      event.preventDefault();
      first.focus();
    }
  }
});

// --- the line to the server ---
const connection = document.getElementById("connection");
live.addEventListener("state", ({ detail: connected }) => {
  connection.textContent = connected ? connection.dataset.live : connection.dataset.lost;
  connection.classList.toggle("lost", !connected);
});

// --- the mode that holds ---
const banner = document.getElementById("banner");
live.addEventListener("changes", async ({ detail }) => {
  if (detail.includes("control")) banner.innerHTML = (await part("/console/banner")) ?? "";
});

// --- clocks tick between one drawing and the next ---
const zh = document.documentElement.lang.startsWith("zh");
const units = zh ? ["天", "小时", "分"] : [" d", " h", " min"];
function spanText(ms) {
  const minutes = Math.floor(Math.abs(ms) / 60000);
  const parts = [[Math.floor(minutes / 1440), units[0]], [Math.floor(minutes / 60) % 24, units[1]], [minutes % 60, units[2]]];
  while (parts.length > 1 && !parts[0][0]) parts.shift();
  return parts.slice(0, 2).map(([count, unit]) => `${count}${unit}`).join(" ");
}
const drawn = new WeakMap();
function tick() {
  for (const clock of document.querySelectorAll(".clock[data-left-ms]")) {
    if (!drawn.has(clock)) drawn.set(clock, performance.now());
    const left = Number(clock.dataset.leftMs) - (performance.now() - drawn.get(clock));
    const bar = clock.querySelector("progress");
    bar.value = Math.min(bar.max, Math.max(0, bar.max - left));
    const text = left < 0 ? (zh ? `超 ${spanText(left)}` : `${spanText(left)} over`) : zh ? `剩 ${spanText(left)}` : `${spanText(left)} left`;
    const shown = clock.querySelector(".left");
    if (shown.textContent !== text) shown.textContent = text;
  }
}
setInterval(tick, 1000);
