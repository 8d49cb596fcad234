// The start page stays true: running jobs show how far they are, and when one ends what it found appears.
const SECONDS = 20;
const page = () => document.getElementById("dashboard");
const { follow, isOver, show } = await import(page().dataset.live);
const followed = new Set([...document.querySelectorAll("[data-job]")].map((element) => element.dataset.job));
let asked = 0;

function watch(id) {
  follow(id, (job) => {
    for (const element of document.querySelectorAll(`[data-job="${CSS.escape(id)}"]`)) show(element, job);
    if (isOver(job)) renew();
  });
}

// Take the page over as it is now, unless somebody has opened something in it or is using it.
async function renew() {
  const mine = ++asked;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected || mine !== asked) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("dashboard");
  const now = page();
  if (!fresh || now.contains(document.activeElement) || now.querySelector("details[open]")) return;
  now.replaceWith(fresh);
  for (const element of fresh.querySelectorAll("[data-job]")) {
    if (!followed.has(element.dataset.job)) {
      followed.add(element.dataset.job);
      watch(element.dataset.job);
    }
  }
  document.dispatchEvent(new Event("renewed"));
}

for (const id of followed) watch(id);
setInterval(() => document.visibilityState === "visible" && renew(), SECONDS * 1000);
