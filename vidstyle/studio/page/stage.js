// The chosen frame, before and after; the scrub bar; two seconds that move.
import { get, note, post } from "./api.js";
import { styles } from "./gallery.js";
import { painting } from "./settings.js";

const $ = (id) => document.getElementById(id);
let video = null;
let waiting = 0;
let stopping = null;

export const current = () => video;
export const seconds = () => Number($("time").value) * Math.max(0, (video?.seconds ?? 0) - 1 / (video?.rate || 25));

export function clock(time) {
  const minutes = Math.floor(time / 60);
  return `${minutes}:${(time - 60 * minutes).toFixed(1).padStart(4, "0")}`;
}

export function open(item) {
  video = item;
  $("drop-film").hidden = $("videos").hidden = Boolean(item);
  $("by-path").hidden = Boolean(item) || !$("by-path").dataset.allowed;
  $("viewer").hidden = !item;
  $("render").disabled = !item;
  if (!item) return;
  $("film-name").textContent = item.name;
  const length = item.seconds ? `${clock(item.seconds)}, ` : "";
  $("film-about").textContent = `${item.width}×${item.height}, ${length}${item.rate ? `${Math.round(100 * item.rate) / 100} frames per second` : ""}`;
  $("time").value = 0.2;
  // The frame that is looked at goes first.
  $("source").addEventListener("load", () => ($("strip").src = `/api/videos/${item.id}/strip`), { once: true });
  still();
  moved();
}

function moved() {
  $("clock").value = clock(seconds());
  $("time").setAttribute("aria-valuetext", clock(seconds()));
  $("source").src = `/api/videos/${video.id}/frame?seconds=${seconds().toFixed(3)}&side=1280`;
  refresh();
}

// Paint again, shortly after the last change.
export function refresh() {
  if (!video || !styles().length) return;
  clearTimeout(waiting);
  waiting = setTimeout(paint, 60);
}

async function paint() {
  stopping?.abort();
  const mine = (stopping = new AbortController());
  $("busy").hidden = false;
  const begun = performance.now();
  try {
    const wish = { video: video.id, seconds: seconds(), side: 1280, settings: painting(styles()) };
    const response = await post("/preview", wish, mine.signal);
    const old = $("painted").src;
    $("painted").src = URL.createObjectURL(await response.blob());
    await $("painted").decode().catch(() => {});
    if (old.startsWith("blob:")) URL.revokeObjectURL(old);
    const took = ((performance.now() - begun) / 1000).toFixed(1);
    const learned = response.headers.get("X-Learned").includes("1") ? "as learned" : "as read";
    $("told").textContent = `painted in ${took} s at ${response.headers.get("X-Painted").replace("x", "×")}, style ${learned}`;
    $("painted").dataset.count = Number($("painted").dataset.count ?? 0) + 1;
  } catch (error) {
    if (error.name !== "AbortError" && error.status !== 409) note(error);
  } finally {
    if (stopping === mine) $("busy").hidden = true;
  }
}

function split() {
  const share = Number($("split").value);
  $("source").style.clipPath = `inset(0 ${100 - share}% 0 0)`;
  $("edge").style.left = `${share}%`;
}

export function still() {
  $("stage").classList.remove("moving");
  $("moving").hidden = $("still").hidden = true;
  $("moving").pause();
}

export function play(job) {
  $("moving").src = `/api/jobs/${job.id}/result`;
  $("moving").hidden = $("still").hidden = false;
  $("stage").classList.add("moving");
  $("moving").play().catch(() => {});
}

export function start() {
  $("split").addEventListener("input", split);
  $("time").addEventListener("input", () => (still(), moved()));
  $("still").addEventListener("click", still);
  $("other").addEventListener("click", async () => {
    open(null);
    await recent();
  });
  split();
}

// Videos that were sent before.
export async function recent() {
  const videos = await get("/videos");
  const buttons = videos.slice(0, 8).map((item) => {
    const button = document.createElement("button");
    const picture = Object.assign(new Image(), { src: `/api/videos/${item.id}/frame?seconds=${((item.seconds ?? 0) * 0.2).toFixed(3)}&side=256`, alt: "" });
    button.append(picture, Object.assign(document.createElement("span"), { textContent: item.name }));
    button.addEventListener("click", () => open(item));
    return button;
  });
  $("videos").replaceChildren(...buttons);
  $("videos").hidden = !buttons.length || Boolean(video);
}
