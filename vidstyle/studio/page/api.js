// Requests to the studio's REST API. A failure is an Error whose message is the server's sentence.

async function answered(response) {
  if (response.ok) return response;
  let sentence = `the studio answered ${response.status}.`;
  try {
    const { detail } = await response.clone().json();
    if (typeof detail === "string") sentence = detail;
    else if (Array.isArray(detail)) sentence = detail.map((d) => `${d.loc.slice(1).join(".")}: ${d.msg}`).join("; ");
  } catch {
    sentence = (await response.text()).trim() || sentence;
  }
  throw Object.assign(new Error(sentence), { status: response.status });
}

export const get = async (path) => (await answered(await fetch(`/api${path}`))).json();

export async function post(path, body, signal) {
  const options = { method: "POST", signal, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) };
  return answered(await fetch(`/api${path}`, options));
}

export const remove = async (path) => answered(await fetch(`/api${path}`, { method: "DELETE" }));

// Sends a file; `told` gets the share that has arrived.
export function upload(path, file, told) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api${path}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-Filename", encodeURIComponent(file.name));
    request.upload.onprogress = (event) => told?.(event.loaded / event.total);
    request.onload = async () => {
      const response = new Response(request.responseText, { status: request.status });
      try {
        resolve(await (await answered(response)).json());
      } catch (error) {
        reject(error);
      }
    };
    request.onerror = () => reject(new Error("the studio broke the upload off: the file is too large, or the studio is gone."));
    request.send(file);
  });
}

let hiding;
export function note(sentence) {
  const box = document.getElementById("note");
  const text = `${sentence}`.replace(/^Error: /, "");
  box.textContent = text.charAt(0).toUpperCase() + text.slice(1);
  box.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (box.hidden = true), 9000);
}

export const element = (tag, values = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), values);
  made.append(...children);
  return made;
};

// A place where files can be dropped, with a file input inside.
export function dropZone(zone, take) {
  const input = zone.querySelector("input[type=file]");
  input.addEventListener("change", () => {
    if (input.files[0]) take(input.files[0]);
    input.value = "";
  });
  for (const kind of ["dragenter", "dragover"])
    zone.addEventListener(kind, (event) => (event.preventDefault(), zone.classList.add("over")));
  for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
}
