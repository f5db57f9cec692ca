// The queue: jobs as the server tells of them, also those of a link from another browser.
import { element, get, note, post, remove } from "./api.js";

const list = document.getElementById("jobs");
const known = new Map(); // id -> job
const shown = new Map(); // id -> its element
const waiting = new Map(); // id -> what to do when it is done
const STATES = { queued: "waiting", running: "at work", done: "done", failed: "failed", cancelled: "cancelled" };
let ended = () => {};

export async function submit(request, done) {
  const job = await (await post("/jobs", request)).json();
  if (done) waiting.set(job.id, done);
  take(job);
  return job;
}

function take(job) {
  const before = known.get(job.id);
  if (before && before.version > job.version) return;
  known.set(job.id, job);
  show(job);
  if (["done", "failed", "cancelled"].includes(job.state) && before && before.state !== job.state) {
    if (job.state === "done") waiting.get(job.id)?.(job);
    if (job.state === "failed") note(`${job.title}: ${job.message}`);
    waiting.delete(job.id);
    ended(job);
  }
}

function time(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.ceil(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.ceil((seconds % 3600) / 60)} min`;
}

function figures(job) {
  const unit = job.kind === "fit" ? "steps" : "frames";
  if (job.state === "running" && job.total) {
    const rate = job.rate ? `, ${job.rate.toFixed(1)} a second` : "";
    const left = job.seconds_left != null ? `, ${time(job.seconds_left)} left` : "";
    return `${job.done} of ${job.total} ${unit}${rate}${left}`;
  }
  if (job.state === "done" && job.kind === "render" && job.report?.frames)
    return `${job.report.frames} frames at ${job.report.width}×${job.report.height}, ${job.report.fps.toFixed(1)} a second`;
  if (job.state === "done" && job.kind === "fit")
    return job.report.share ? `distance from the painting ${job.report.loss_read.toFixed(2)} → ${job.report.loss_learned.toFixed(2)}` : "nothing better than the style as it is read was found";
  return job.message;
}

const ROWS = [
  ["E_1", "Warp error to the next frame (steady: low)"],
  ["E_10", "Warp error over ten frames"],
  ["flicker", "Flicker where the video stands still"],
  ["ssim", "Content kept (SSIM)"],
  ["style_distance", "Distance from the style"],
];

function numbers(report) {
  const cell = (value) => (value == null ? "–" : Math.abs(value) < 0.01 ? value.toFixed(5) : value.toFixed(3));
  const head = element("tr", {}, element("th", { scope: "col", textContent: "measured" }), element("th", { scope: "col", textContent: "painted" }), element("th", { scope: "col", textContent: "video itself" }));
  const rows = ROWS.map(([key, name]) =>
    element("tr", {}, element("th", { scope: "row", textContent: name }), element("td", { textContent: cell(report[key]) }), element("td", { textContent: cell(report.source[key]) })));
  return element("table", { className: "numbers" }, head, ...rows);
}

function button(name, job, act) {
  const made = element("button", { type: "button", textContent: name });
  made.setAttribute("aria-label", `${name}: ${job.title}`);
  made.addEventListener("click", () => Promise.resolve(act()).catch(note));
  return made;
}

function actions(job, item) {
  const made = [];
  const ask = (what) => async () => take(await (await post(`/jobs/${job.id}/${what}`)).json());
  if (["queued", "running"].includes(job.state)) made.push(button("Cancel", job, ask("cancel")));
  if (["failed", "cancelled"].includes(job.state)) made.push(button("Resume", job, ask("resume")));
  if (job.state === "done" && job.has_result && job.kind === "render") {
    const link = element("a", { href: `/api/jobs/${job.id}/result?download=true`, textContent: "Download" });
    link.setAttribute("aria-label", `Download: ${job.title}`);
    made.push(link, button("Play", job, () => watch(job, item)), button("Measure", job, () => submit({ kind: "evaluate", job: job.id })));
  }
  made.push(button("Copy link", job, async () => {
    await navigator.clipboard.writeText(`${location.origin}/#job=${job.id}`);
    note("copied: whoever has this link, and may come here, can follow the job and fetch its result.");
  }));
  if (!["queued", "running"].includes(job.state)) made.push(button("Delete", job, async () => (await remove(`/jobs/${job.id}`), gone(job.id))));
  return made;
}

function watch(job, item) {
  const old = item.querySelector("video");
  if (old) return old.remove();
  const player = element("video", { src: `/api/jobs/${job.id}/result`, controls: true, autoplay: true, loop: true });
  player.setAttribute("aria-label", job.title);
  item.append(player);
}

function show(job) {
  let item = shown.get(job.id);
  if (!item) {
    item = element("li", { className: "job" });
    item.append(element("div", { className: "head" }, element("strong"), element("span", { className: "state" })), element("progress", { max: 1 }), element("div", { className: "figures-line" }), element("div", { className: "does" }));
    shown.set(job.id, item);
    list.prepend(item);
  }
  const before = item.dataset.state;
  item.dataset.state = job.state;
  item.dataset.kind = job.kind;
  item.dataset.job = job.id;
  item.querySelector("strong").textContent = job.title;
  item.querySelector(".state").textContent = STATES[job.state];
  const bar = item.querySelector("progress");
  bar.hidden = job.state !== "running";
  bar.setAttribute("aria-label", `Progress of ${job.title}`);
  if (job.total) bar.value = job.done / job.total;
  else bar.removeAttribute("value");
  item.querySelector(".figures-line").textContent = figures(job);
  if (before !== job.state) {
    item.querySelector(".does").replaceChildren(...actions(job, item));
    if (job.kind === "evaluate" && job.state === "done") item.append(numbers(job.report));
  }
  document.getElementById("no-jobs").hidden = shown.size > 0;
}

function gone(id) {
  shown.get(id)?.remove();
  shown.delete(id);
  known.delete(id);
  document.getElementById("no-jobs").hidden = shown.size > 0;
}

function follow(path) {
  const events = new EventSource(`/api${path}`);
  events.addEventListener("job", (event) => take(JSON.parse(event.data)));
  events.addEventListener("gone", (event) => gone(JSON.parse(event.data).id));
  return events;
}

export async function start(told) {
  ended = told;
  follow("/events");
  const linked = /^#job=([\w-]{22})$/.exec(location.hash)?.[1];
  if (!linked) return;
  history.replaceState(null, "", "/");
  try {
    take(await get(`/jobs/${linked}`));
    const events = follow(`/jobs/${linked}/events`);
    events.addEventListener("job", (event) => ["done", "failed"].includes(JSON.parse(event.data).state) && events.close());
  } catch (error) {
    note(error);
  }
}
