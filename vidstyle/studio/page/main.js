// Wires the page together.
import { dropZone, get, note, post, upload } from "./api.js";
import * as gallery from "./gallery.js";
import * as jobs from "./jobs.js";
import * as live from "./live.js";
import * as settings from "./settings.js";
import * as stage from "./stage.js";

const $ = (id) => document.getElementById(id);
const act = (id, does) => $(id).addEventListener("click", () => Promise.resolve(does()).catch(note));

function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const set = (value) => (document.documentElement.dataset.theme = value);
  set(localStorage.getItem("theme") ?? (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", () => localStorage.getItem("theme") ?? set(dark.matches ? "dark" : "light"));
  act("theme", () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", next);
    set(next);
  });
}

function tabs() {
  const both = [$("tab-film"), $("tab-live")];
  const select = (tab) => {
    for (const each of both) {
      const on = each === tab;
      each.setAttribute("aria-selected", on);
      each.tabIndex = on ? 0 : -1;
      $(each.getAttribute("aria-controls")).hidden = !on;
    }
    const film = tab.id === "tab-film";
    for (const each of document.querySelectorAll(".only-film")) each.hidden = !film || (each.id === "steady-hint" && each.hidden);
    if (film) live.stop();
  };
  for (const tab of both) {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", (event) => {
      if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
      const other = both[1 - both.indexOf(tab)];
      select(other);
      other.focus();
    });
  }
}

async function send(file) {
  const hint = $("drop-hint");
  const before = hint.textContent;
  try {
    hint.textContent = "sending …";
    const item = await upload("/videos", file, (share) => (hint.textContent = share < 1 ? `sending: ${Math.round(100 * share)} %` : "looking at it …"));
    for (const warning of item.warnings) note(warning);
    stage.open(item);
  } catch (error) {
    note(error);
  } finally {
    hint.textContent = before;
  }
}

function mask() {
  const say = (item) => {
    settings.setMask(item);
    $("mask-name").textContent = item ? `Mask: ${item.name}` : "Mask: white is painted, black stays";
    $("no-mask").hidden = !item;
    stage.refresh();
  };
  dropZone($("drop-mask"), async (file) => {
    try {
      say(await upload("/pictures", file));
      gallery.load();
    } catch (error) {
      note(error);
    }
  });
  act("no-mask", () => say(null));
}

function parts() {
  const number = (id) => {
    const text = $(id).value.trim().replace(",", ".");
    if (text && !(Number(text) >= 0)) throw new Error(`${text}: is no number of seconds.`);
    return text ? Number(text) : null;
  };
  const side = $("max-side").value;
  return { start: number("from"), end: number("to"), max_side: side ? Number(side) : null };
}

async function main() {
  theme();
  tabs();
  stage.start();
  mask();
  settings.onChange(() => (stage.still(), stage.refresh(), live.change()));
  dropZone($("drop-film"), send);
  act("render", () => jobs.submit({ kind: "render", video: stage.current().id, settings: settings.painting(gallery.styles()), ...parts() }));
  act("move", async () => {
    const wish = { kind: "loop", video: stage.current().id, settings: settings.painting(gallery.styles()), start: stage.seconds() };
    await jobs.submit(wish, stage.play);
  });
  act("learn", async () => {
    const [steps, deep] = $("steps").value.split(" ");
    for (const { style } of gallery.styles())
      await jobs.submit({ kind: "fit", style, steps: Number(steps), deep: deep === "deep", paint_size: settings.fitSize() });
  });
  // A file that misses its place must not replace the page.
  for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
  await gallery.start(() => (stage.still(), stage.refresh(), live.change()));
  await jobs.start((job) => {
    if (job.kind === "fit" && job.state === "done") gallery.load().then(stage.refresh);
  });
  live.start();
  await stage.recent();
  const info = await get("/info");
  if (info.paths) $("by-path").dataset.allowed = "yes";
  $("by-path").hidden = !info.paths || Boolean(stage.current());
  $("by-path").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      stage.open(await (await post("/videos/path", { path: $("path").value })).json());
    } catch (error) {
      note(error);
    }
  });
  document.documentElement.dataset.ready = "yes";
}

main().catch(note);
