// Watch a running job: show its progress, and load the page anew when the job is over.
const panel = document.querySelector("[data-job]");
const OVER = new Set(["completed", "failed", "cancelled"]);
const SLOWEST = 10_000;
let wait = 400;

async function look() {
  const answer = await fetch(`/api/v1/jobs/${panel.dataset.job}`, { headers: { Accept: "application/json" } });
  if (answer.status === 401 || answer.status === 404) return true;
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const job = await answer.json();
  if (OVER.has(job.status)) return true;
  panel.querySelector("progress").value = job.progress;
  const text = panel.querySelector("[data-job-text]");
  const words = job.status === "queued" ? "Waiting for a free worker" : job.progress_text || "Starting";
  if (text.textContent !== words) text.textContent = words;
  return false;
}

async function watch() {
  try {
    if (await look()) return location.reload();
    wait = Math.min(wait * 1.1, 2_000);
  } catch {
    wait = Math.min(wait * 2, SLOWEST); // the server is away: ask again, less and less often
  }
  setTimeout(watch, wait);
}

if (panel) setTimeout(watch, wait);
