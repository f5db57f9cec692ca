// A picture through a graph with a style baked in: floats in [0, 1], RGB, (1, 3, H, W); sides are multiples of 8.
import * as ort from "./ort.wasm.min.mjs";

const LARGEST = 640; // pixels of the longer side: one thread of WebAssembly needs seconds for that
const [file, told, canvas] = ["file", "told", "canvas"].map((id) => document.getElementById(id));

ort.env.wasm.wasmPaths = new URL("./", import.meta.url).href;
ort.env.wasm.numThreads = 1; // more need headers that a plain file server does not send

const tell = (sentence) => { told.textContent = sentence; };

try {
  const session = await ort.InferenceSession.create("./style.onnx");
  file.addEventListener("change", () => paint(session, file.files[0]));
  file.disabled = false;
  tell("Choose a picture.");
} catch (error) {
  tell(`The graph cannot be loaded: ${error.message}`);
}

async function paint(session, chosen) {
  if (!chosen) return;
  try {
    tell("Painting ...");
    const picture = await createImageBitmap(chosen);
    const scale = Math.min(1, LARGEST / Math.max(picture.width, picture.height));
    const [width, height] = [picture.width, picture.height].map((side) => Math.max(16, Math.floor(side * scale / 8) * 8));
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0, width, height);
    const begun = performance.now();
    const image = new ort.Tensor("float32", planes(context.getImageData(0, 0, width, height).data), [1, 3, height, width]);
    const { styled } = await session.run({ image });
    context.putImageData(new ImageData(pixels(styled.data), width, height), 0, 0);
    tell(`${width} × ${height}, painted in ${((performance.now() - begun) / 1000).toFixed(1)} s.`);
  } catch (error) {
    tell(`${chosen.name} cannot be painted: ${error.message}`);
  }
}

function planes(rgba) {
  const count = rgba.length / 4;
  const out = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) for (let c = 0; c < 3; c++) out[c * count + i] = rgba[4 * i + c] / 255;
  return out;
}

function pixels(floats) {
  const count = floats.length / 3;
  const out = new Uint8ClampedArray(4 * count).fill(255);
  for (let i = 0; i < count; i++) for (let c = 0; c < 3; c++) out[4 * i + c] = 255 * floats[c * count + i];
  return out;
}
