// A camera: frames go over a websocket, the newest only, and come back painted.
import { note } from "./api.js";
import { styles } from "./gallery.js";

const $ = (id) => document.getElementById(id);
const WIDTH = 480;
let socket = null;
let media = null;
let ready = 0;
let under = []; // when those frames were taken that have not come back, nor were overtaken by one that has
const latencies = [];
const shownAt = [];

const settings = () => JSON.stringify({
  styles: styles(),
  strength: Math.min(1, document.getElementById("settings").strength.value), // a camera is painted in the style at most
  learned: $("learned").checked,
});

export function change() {
  if (socket?.readyState === WebSocket.OPEN) socket.send(settings());
}

export function stop() {
  socket?.close();
  media?.getTracks().forEach((track) => track.stop());
  socket = media = null;
  $("camera").srcObject = null;
  $("live-start").textContent = "Start the camera";
  $("live-told").textContent = "";
}

async function begin() {
  if (socket) return stop();
  if (!navigator.mediaDevices?.getUserMedia)
    return note("browsers give a camera only to pages of this machine or over https: open the studio at http://127.0.0.1, or start it with --tls-cert and --tls-key.");
  try {
    media = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 960 }, frameRate: { ideal: 30 } }, audio: false });
  } catch (error) {
    return note(`no camera (${error.message || error.name}): allow it for this page, and plug one in.`);
  }
  const camera = $("camera");
  camera.srcObject = media;
  await camera.play();
  $("live-start").textContent = "Stop";
  $("live-told").textContent = "the painter is getting ready …";
  ready = 0;
  under = [];
  latencies.length = shownAt.length = 0;
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/live`);
  socket.binaryType = "arraybuffer";
  socket.onopen = change;
  socket.onmessage = (event) => (typeof event.data === "string" ? told(JSON.parse(event.data)) : show(event.data));
  socket.onclose = () => socket && stop();
  const small = new OffscreenCanvas(WIDTH, 2 * Math.round((WIDTH * camera.videoHeight) / camera.videoWidth / 2));
  $("live-canvas").width = small.width;
  $("live-canvas").height = small.height;
  const mine = socket;
  const each = () => {
    if (socket !== mine) return;
    capture(camera, small);
    camera.requestVideoFrameCallback(each);
  };
  camera.requestVideoFrameCallback(each);
}

async function capture(camera, small) {
  if (!ready || under.length >= ready + 1 || socket.bufferedAmount > 0) return;
  const mine = socket;
  const taken = performance.now();
  under.push(taken);
  small.getContext("2d").drawImage(camera, 0, 0, small.width, small.height);
  const picture = await small.convertToBlob({ type: "image/jpeg", quality: 0.85 });
  const message = new Uint8Array(8 + picture.size);
  new DataView(message.buffer).setFloat64(0, taken);
  message.set(new Uint8Array(await picture.arrayBuffer()), 8);
  if (mine.readyState === WebSocket.OPEN) mine.send(message);
}

async function show(data) {
  const taken = new DataView(data).getFloat64(0);
  under = under.filter((time) => time > taken);
  const picture = await createImageBitmap(new Blob([data.slice(8)], { type: "image/jpeg" }));
  $("live-canvas").getContext("2d").drawImage(picture, 0, 0, $("live-canvas").width, $("live-canvas").height);
  picture.close();
  $("live-empty").hidden = true;
  const now = performance.now();
  latencies.push(now - taken);
  shownAt.push(now);
  if (latencies.length > 60) latencies.shift();
  while (now - shownAt[0] > 3000) shownAt.shift();
  const middle = [...latencies].sort((a, b) => a - b)[latencies.length >> 1];
  const rate = shownAt.length > 2 ? (1000 * (shownAt.length - 1)) / (now - shownAt[0]) : 0;
  $("live-rate").textContent = rate.toFixed(0);
  $("live-latency").textContent = `${middle.toFixed(0)} ms`;
  Object.assign($("live-canvas").dataset, { shown: Number($("live-canvas").dataset.shown ?? 0) + 1, latency: middle.toFixed(1), rate: rate.toFixed(2) });
}

function told(news) {
  if (news.ready) {
    ready = news.ready;
    $("live-told").textContent = "";
  }
  if (news.paint_size) $("live-size").textContent = `${news.paint_size} px`;
  if (news.error) {
    note(news.error);
    stop();
  }
}

export function start() {
  $("live-start").addEventListener("click", () => begin().catch(note));
}
