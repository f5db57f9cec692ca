// The styles: one is chosen, or several with weights.
import { dropZone, element, get, note, upload } from "./api.js";

const box = document.getElementById("gallery");
const blend = document.getElementById("blend");
const weights = document.getElementById("weights");
let all = [];
let chosen = new Map(); // style -> weight
let changed = () => {};

export const styles = () => [...chosen].map(([style, weight]) => ({ style, weight }));
export const named = (style) => all.find((each) => each.style === style)?.name ?? style;

export async function load() {
  all = await get("/styles");
  box.replaceChildren(...all.map(card));
  if (!chosen.size && all.length) choose((all.find((each) => !each.own && each.learned.length) ?? all.find((each) => !each.own) ?? all[0]).style);
  show();
}

function card(style) {
  const made = element("button", { type: "button", className: "card", title: `${style.name}: ${style.about}` });
  made.dataset.style = style.style;
  made.append(
    element("img", { src: `/api/styles/${style.style}/thumbnail`, alt: "", loading: "lazy" }),
    element("span", { textContent: style.name }),
  );
  if (style.learned.length) made.append(element("em", { textContent: "learned" }));
  made.addEventListener("click", () => (choose(style.style), show(), changed()));
  return made;
}

function choose(style) {
  if (!blend.checked) chosen = new Map([[style, 1]]);
  else if (chosen.has(style) && chosen.size > 1) chosen.delete(style);
  else if (chosen.size < 6) chosen.set(style, 1);
  else note("six styles are enough for one painting.");
}

function show() {
  for (const each of box.children) each.setAttribute("aria-pressed", chosen.has(each.dataset.style));
  weights.hidden = chosen.size < 2;
  const sliders = [...chosen].map(([style, weight]) => {
    const input = element("input", { type: "range", min: 0.1, max: 3, step: 0.1, value: weight });
    const share = element("output");
    input.addEventListener("input", () => (chosen.set(style, Number(input.value)), shares(), changed()));
    return element("label", { className: "slider" }, named(style), share, input);
  });
  weights.replaceChildren(...sliders);
  shares();
}

function shares() {
  const total = [...chosen.values()].reduce((a, b) => a + b, 0);
  const outputs = weights.querySelectorAll("output");
  [...chosen.values()].forEach((weight, i) => outputs[i] && (outputs[i].value = `${Math.round((100 * weight) / total)} %`));
}

export function start(told) {
  changed = told;
  blend.addEventListener("change", () => {
    if (!blend.checked) chosen = new Map([...chosen].slice(0, 1));
    show();
    changed();
  });
  dropZone(document.getElementById("drop-style"), async (file) => {
    try {
      const item = await upload("/pictures", file);
      choose(item.id);
      await load();
      changed();
    } catch (error) {
      note(error);
    }
  });
  return load();
}
