// The form of how it is painted, as the API takes it.

const form = document.getElementById("settings");
const SIZES = [144, 192, 256, "auto", 400, 480, 720, "source"];
const NAMES = { auto: "usual (320)", source: "fine as the video" };
let mask = null;

export const setMask = (item) => (mask = item);

export function painting(styles) {
  return {
    styles,
    strength: Number(form.strength.value),
    paint_size: SIZES[form.paint_size.value],
    detail: Number(form.detail.value),
    stabilize: Number(form.stabilize.value),
    preserve_color: form.preserve_color.checked,
    mask: mask?.id ?? null,
    learned: document.getElementById("learned").checked,
  };
}

export const fitSize = () => (typeof SIZES[form.paint_size.value] === "number" ? SIZES[form.paint_size.value] : 320);

function tell(input) {
  const output = input.parentElement.querySelector("output");
  if (!output) return;
  const percent = `${Math.round(100 * input.value)} %`;
  output.value = input.name === "paint_size" ? `${NAMES[SIZES[input.value]] ?? SIZES[input.value]}` : percent;
  if (input.name === "paint_size") input.setAttribute("aria-valuetext", output.value);
  document.getElementById("steady-hint").hidden = !(Number(form.stabilize.value) > 0);
}

export function onChange(changed) {
  for (const input of form.querySelectorAll("input[type=range]")) {
    tell(input);
    input.addEventListener("input", () => (tell(input), changed()));
  }
  form.preserve_color.addEventListener("change", changed);
  document.getElementById("learned").addEventListener("change", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
}
