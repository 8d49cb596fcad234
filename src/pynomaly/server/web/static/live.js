// Follow running jobs over one WebSocket for the page; without one, ask every few seconds.
//
// `[data-job="ID"]` elements show a job: a <progress>, and words in [data-job-text]. When the job of an element
// with [data-job-reload] is over, the page is loaded anew. Others hear: follow(id, (job) => …).
const OVER = new Set(["completed", "failed", "cancelled"]);
const SLOWEST = 10_000;
const listeners = new Map(); // job id -> functions
let socket = null;
let wait = 500;
let polling = null;

export function isOver(job) {
  return OVER.has(job.status);
}

export function follow(id, tell) {
  if (!listeners.has(id)) listeners.set(id, new Set());
  listeners.get(id).add(tell);
  if (socket?.readyState === 1) subscribe([id]); // open
  else connect();
  return () => listeners.get(id)?.delete(tell);
}

function hear(job) {
  for (const tell of listeners.get(job.id) ?? []) tell(job);
  if (isOver(job)) listeners.delete(job.id);
}

function subscribe(ids) {
  socket.send(JSON.stringify({ subscribe: { jobs: ids } }));
}

function connect() {
  if (socket || listeners.size === 0) return;
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket.addEventListener("open", () => {
    wait = 500;
    clearInterval(polling);
    polling = null;
    subscribe([...listeners.keys()]); // answered with how each job is now: what was missed is caught up
  });
  socket.addEventListener("message", (event) => {
    const told = JSON.parse(event.data);
    if (told.job) hear(told.job);
    else if (told.error?.id) listeners.delete(told.error.id);
  });
  socket.addEventListener("close", (event) => {
    socket = null;
    if (event.code === 4401) return location.reload(); // logged out: the server sends to the log-in page
    if (listeners.size === 0) return;
    polling ??= setInterval(poll, 3000);
    setTimeout(connect, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, SLOWEST);
  });
}

async function poll() {
  for (const id of [...listeners.keys()]) {
    try {
      const answer = await fetch(`/api/v1/jobs/${encodeURIComponent(id)}`, { headers: { Accept: "application/json" } });
      if (answer.ok) hear(await answer.json());
      else if (answer.status === 404) listeners.delete(id);
    } catch {
      return; // the server is away: ask again later
    }
  }
}

export function show(element, job) {
  const bar = element.querySelector("progress");
  if (bar) bar.value = job.progress;
  const text = element.querySelector("[data-job-text]");
  const words = job.status === "queued" ? element.dataset.waiting : job.progress_text || element.dataset.starting;
  if (text && words && text.textContent !== words) text.textContent = words;
  if (isOver(job) && "jobReload" in element.dataset) location.reload();
}

for (const element of document.querySelectorAll("[data-job]")) {
  follow(element.dataset.job, (job) => show(element, job));
}
addEventListener("pagehide", () => socket?.close());
