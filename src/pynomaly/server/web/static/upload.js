// Upload files in parts of 8 MB (tus 1.0): several at once, with progress; goes on after a lost connection, a reload, a log-in.
//
// The server keeps the uploads that are not finished and lists them in the page with the file's fingerprint: when the same
// file is chosen again, after a reload or in another browser, it goes on where it stopped.
const API = "/api/v1/datasets";
const PART = 8 * 1024 * 1024;
const AT_ONCE = 2;
const SLOWEST = 30_000;

const section = document.getElementById("upload");
const texts = JSON.parse(document.getElementById("upload-texts").textContent);
const template = document.getElementById("send");
const list = section.querySelector("[data-sends]");
const say = section.querySelector("[data-say]");
const input = document.getElementById("file");
const preview = document.getElementById("preview");
const limit = Number(section.dataset.max);
const { lang } = document.documentElement;
const sends = [];
let added = 0;

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const percent = (share) => share.toLocaleString(lang, { style: "percent", maximumFractionDigits: 0 });
const rest = (seconds) =>
  seconds < 90 ? fill(texts.seconds, { n: Math.ceil(seconds).toLocaleString(lang) }) : fill(texts.minutes, { n: Math.ceil(seconds / 60).toLocaleString(lang) });
const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));
const fingerprint = (file) => `${file.name}/${file.size}/${file.lastModified}`.slice(-200);

function size(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (bytes >= 1000 && unit < 3) [bytes, unit] = [bytes / 1000, unit + 1];
  return `${bytes.toLocaleString(lang, { maximumSignificantDigits: 3 })} ${units[unit]}`;
}

function ask(method, address, { headers = {}, body = null, progress = null, hold = null } = {}) {
  return new Promise((done) => {
    const request = new XMLHttpRequest(); // fetch does not tell how much was sent
    request.open(method, address);
    request.setRequestHeader("Accept", "application/json");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (progress) request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("loadend", () => {
      let json = {};
      try {
        json = JSON.parse(request.responseText);
      } catch {
        // no body, or a page of somebody between us and the server
      }
      done({ status: request.status, json, header: (name) => request.getResponseHeader(name) });
    });
    if (hold) hold(request);
    request.send(body);
  });
}

const askJson = (method, address, json) =>
  ask(method, address, { headers: { "Content-Type": "application/json" }, body: JSON.stringify(json) });

class Send {
  constructor(file, known) {
    added += 1;
    this.file = file;
    this.id = known?.dataset.upload ?? null;
    this.offset = 0;
    this.dataset = null;
    this.state = "waiting";
    this.marks = []; // [time, bytes] of the last seconds
    this.said = 0;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.part = (name) => this.element.querySelector(name);
    this.part(".send-name").textContent = file.name;
    this.part(".send-size").textContent = size(file.size);
    this.bar = this.part("progress");
    this.bar.max = Math.max(file.size, 1);
    this.bar.setAttribute("aria-label", fill(texts.uploaded, { name: file.name }));
    this.button("[data-cancel]", texts.cancel, () => this.cancel());
    this.button("[data-retry]", texts.retry, () => this.again());
    this.show("waiting", texts.waiting);
    if (known) known.replaceWith(this.element);
    else list.prepend(this.element);
  }

  button(which, label, act) {
    this.part(which).setAttribute("aria-label", fill(label, { name: this.file.name }));
    this.part(which).addEventListener("click", act);
  }

  show(state, text) {
    this.state = state;
    this.part(".send-text").textContent = text;
    this.element.classList.toggle("send-failed", state === "failed");
    this.element.classList.toggle("send-ready", state === "done");
    this.part("[data-retry]").hidden = state !== "failed" || this.hopeless === true;
    this.part("[data-cancel]").hidden = ["failed", "done", "cancelled"].includes(state);
    this.part("[data-log-in]").hidden = state !== "login";
    this.bar.hidden = this.hopeless === true;
  }

  tell(bytes) {
    const now = performance.now();
    this.bar.value = bytes;
    this.marks.push([now, bytes]);
    while (this.marks.length > 2 && now - this.marks[0][0] > 5000) this.marks.shift();
    const [since, before] = this.marks[0];
    const speed = ((bytes - before) / Math.max(now - since, 1)) * 1000;
    const share = bytes / this.file.size;
    const left = speed > 0 ? rest((this.file.size - bytes) / speed) : "…";
    this.show("sending", fill(texts.sending, { percent: percent(share), speed: `${size(speed)}/s`, left }));
    const quarter = Math.floor(share * 4);
    if (quarter > this.said && quarter < 4) announce(fill(texts.said_share, { name: this.file.name, percent: percent(quarter / 4) }));
    this.said = Math.max(this.said, quarter);
  }

  fail(text, hopeless = false) {
    this.hopeless = hopeless;
    this.show("failed", text);
    announce(`${this.file.name}: ${text}`);
  }

  again() {
    this.state = "waiting";
    next();
  }

  async cancel() {
    this.show("cancelled", texts.cancelled);
    this.request?.abort();
    if (this.id) await ask("DELETE", `${API}/uploads/${this.id}`);
    this.id = null;
    next();
  }

  async run() {
    this.show("sending", texts.starting);
    announce(fill(texts.said_start, { name: this.file.name }));
    let wait = 1000;
    while (this.state !== "cancelled" && this.dataset === null) {
      const answer = this.id === null ? await this.begin() : this.stale ? await this.measure() : await this.sendPart();
      if (this.state === "cancelled") break;
      if (answer.status >= 200 && answer.status < 300) {
        wait = 1000;
      } else if (await this.stops(answer)) {
        return next();
      } else if (this.state === "lost" || this.state === "login") {
        this.stale = this.id !== null;
        await Promise.race([sleep(wait * (0.75 + Math.random() / 2)), woken()]);
        wait = Math.min(wait * 2, this.state === "login" ? 5000 : SLOWEST);
      }
    }
    if (this.dataset !== null) this.finish();
    next();
  }

  async begin() {
    const answer = await askJson("POST", `${API}/uploads`, {
      filename: this.file.name,
      size: this.file.size,
      fingerprint: fingerprint(this.file),
      preview: preview.checked,
    });
    if (answer.status === 201) [this.id, this.offset, this.stale] = [answer.json.id, 0, false];
    return answer;
  }

  async measure() {
    const answer = await ask("GET", `${API}/uploads/${this.id}`);
    if (answer.status === 200) {
      this.offset = answer.json.offset;
      this.stale = false;
      this.dataset = answer.json.dataset_id;
      this.marks = [];
      if (this.offset > 0) this.show("sending", fill(texts.resumed, { percent: percent(this.offset / this.file.size) }));
    }
    return answer;
  }

  async sendPart() {
    const from = this.offset;
    const answer = await ask("PATCH", `${API}/uploads/${this.id}`, {
      headers: { "Content-Type": "application/offset+octet-stream", "Upload-Offset": from, "Tus-Resumable": "1.0.0" },
      body: this.file.slice(from, from + PART),
      progress: (sent) => this.tell(from + sent),
      hold: (request) => (this.request = request),
    });
    if (answer.status === 204) {
      this.offset = Number(answer.header("Upload-Offset"));
      this.tell(this.offset);
      const made = answer.header("Location");
      if (made) this.dataset = made.split("/").pop();
    }
    return answer;
  }

  // Tells whether it is over; else `state` says what to wait for.
  async stops(answer) {
    const here = { percent: percent(this.offset / this.file.size) };
    if (answer.status === 401) {
      if (this.state !== "login") announce(fill(texts.login, here));
      this.show("login", fill(texts.login, here));
      return false;
    }
    if (answer.status === 404 && this.id !== null && !this.begun) {
      [this.id, this.begun] = [null, true]; // it was kept no longer: once more from the start
      return false;
    }
    if (answer.status === 409 && this.id !== null) {
      this.stale = true;
      this.show("lost", fill(texts.lost, here));
      return false;
    }
    if (answer.status === 0 || answer.status === 408 || answer.status === 429 || answer.status >= 500) {
      if (answer.status === 0 && !(await readable(this.file))) {
        this.fail(texts.unreadable, true);
        return true;
      }
      if (this.state !== "lost") announce(fill(texts.lost, here));
      this.show("lost", fill(texts.lost, here));
      return false;
    }
    this.fail(answer.json.detail ?? String(answer.status));
    return true;
  }

  finish() {
    this.bar.value = this.bar.max;
    this.show("done", texts.done);
    announce(`${this.file.name}: ${texts.done}`);
    const open = this.part("[data-open]");
    open.href = `/datasets/${this.dataset}${preview.checked ? "/import" : ""}`;
    open.textContent = preview.checked ? texts.look : texts.open;
    open.hidden = false;
  }
}

function announce(text) {
  say.textContent = text;
}

const woken = () =>
  new Promise((wake) => {
    for (const name of ["online", "focus"]) addEventListener(name, wake, { once: true });
  });

async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

// A folder has neither bytes nor a kind, and cannot be read.
const isFolder = async (file) => !file.type && file.size % 4096 === 0 && !(await readable(file));

async function add(files, folders = []) {
  for (const name of folders) new Send(new File([], name), null).fail(texts.folder, true);
  for (const file of files) {
    const same = list.querySelector(`[data-fingerprint="${CSS.escape(fingerprint(file))}"]`);
    if (sends.some((one) => fingerprint(one.file) === fingerprint(file) && !["failed", "cancelled"].includes(one.state))) continue;
    const send = new Send(file, same);
    if (await isFolder(file)) send.fail(texts.folder, true);
    else if (file.size === 0) send.fail(texts.empty, true);
    else if (file.size > limit) send.fail(fill(texts.large, { size: size(file.size), limit: size(limit) }), true);
    else {
      send.stale = send.id !== null;
      sends.push(send);
    }
  }
  next();
}

function next() {
  const busy = sends.filter((one) => ["sending", "lost", "login"].includes(one.state)).length;
  const waiting = sends.filter((one) => one.state === "waiting");
  for (const one of waiting.slice(0, Math.max(0, AT_ONCE - busy))) one.run();
  if (busy === 0 && waiting.length === 0) over();
}

function over() {
  const done = sends.filter((one) => one.state === "done");
  if (done.length === 0) return;
  if (done.length === 1 && added === 1) {
    location.assign(done[0].part("[data-open]").href);
    return;
  }
  const bottom = section.querySelector("[data-done]");
  bottom.hidden = false;
  bottom.querySelector("[data-import-all]").hidden = !preview.checked;
}

section.querySelector("[data-import-all]").addEventListener("click", async ({ currentTarget }) => {
  currentTarget.disabled = true;
  const done = sends.filter((one) => one.state === "done");
  let failed = false;
  for (const one of done) {
    const answer = await askJson("POST", `${API}/${one.dataset}/import`, {});
    if (answer.status === 202 || answer.status === 409) continue; // 409: it is being imported already
    failed = true;
    one.part(".send-text").textContent = fill(texts.failed, { name: one.file.name, detail: answer.json.detail ?? answer.status });
  }
  currentTarget.disabled = false;
  if (!failed) location.assign("/datasets");
});

input.multiple = true;
input.addEventListener("change", () => {
  add([...input.files]);
  input.value = ""; // the same file can be chosen again
});

let depth = 0;
const drags = (event) => event.dataTransfer?.types.includes("Files");
addEventListener("dragenter", (event) => {
  if (drags(event) && (depth += 1)) document.body.classList.add("dragging");
});
addEventListener("dragleave", (event) => {
  if (drags(event) && (depth -= 1) <= 0) document.body.classList.remove("dragging");
});
addEventListener("dragover", (event) => {
  if (drags(event)) event.preventDefault();
});
addEventListener("drop", (event) => {
  if (!drags(event)) return;
  event.preventDefault();
  depth = 0;
  document.body.classList.remove("dragging");
  const entries = [...event.dataTransfer.items].filter((item) => item.kind === "file");
  const folders = entries.map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry?.isDirectory).map((entry) => entry.name);
  const files = entries.filter((item) => !item.webkitGetAsEntry?.()?.isDirectory).map((item) => item.getAsFile());
  add(files.filter(Boolean), folders);
});
