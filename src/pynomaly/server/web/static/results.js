// The page of a result: drag the threshold and see the count at once, ask charts for single rows, copy the link.
const { lang } = document.documentElement;
const written = (number) => number.toLocaleString(lang);
const short = (number) => number.toLocaleString(lang, { maximumSignificantDigits: 4 });
const fill = (text, parts) => text.replace(/\{(\w+)\}/g, (whole, name) => parts[name] ?? whole);

// Threshold ---------------------------------------------------------------------------------------------------
const form = document.querySelector("[data-threshold-form]");
const data = JSON.parse(document.getElementById("threshold-data")?.textContent ?? "null");
const handle = document.querySelector("[data-handle]");

function countAbove(score) {
  const { scores, edges, counts, rows } = data;
  if (!scores.length || score >= scores.at(-1)) return scores.filter((one) => one > score).length; // exact
  let above = 0; // of bins that are cut through, their part
  for (let bin = counts.length - 1; bin >= 0 && edges[bin + 1] > score; bin--) {
    const width = edges[bin + 1] - edges[bin] || 1;
    above += counts[bin] * Math.min(1, (edges[bin + 1] - score) / width);
  }
  return Math.min(rows, Math.max(scores.length, Math.round(above)));
}

function startThreshold() {
  const { edges, rows } = data;
  const [low, high] = [edges[0], edges.at(-1)];
  const span = high - low || 1;
  const field = form.querySelector("[name=threshold]");
  const budget = form.querySelector("[name=max_alerts]");
  const save = form.querySelector("[data-save]");
  const undo = form.querySelector("[data-undo]");
  const answer = form.querySelector("[data-count-text]");
  const frame = handle.closest("[data-threshold-frame]");
  const bars = [...frame.querySelectorAll("rect.bar")];
  const digits = Math.max(0, 3 - Math.floor(Math.log10(span)));
  const first = data.threshold;
  let present = first;
  let asked = 0;
  frame.querySelector("[data-cut]")?.remove(); // the handle takes its place
  form.querySelector("[data-try]").hidden = true; // one sees it without trying
  const label = document.createElementNS("http://www.w3.org/2000/svg", "text");
  label.setAttribute("class", "tick-cut");
  label.setAttribute("y", "0");
  label.setAttribute("dy", "-7");
  frame.querySelector("svg").append(label);

  function show(count) {
    const parts = { score: short(present), count: written(count), rows: written(rows) };
    const text = fill(handle.dataset.text, parts);
    handle.setAttribute("aria-valuenow", present);
    handle.setAttribute("aria-valuetext", text);
    answer.textContent = present === first ? "" : text;
  }

  function place() {
    const at = Math.min(100, Math.max(0, ((present - low) / span) * 100));
    handle.style.left = `${at}%`;
    label.setAttribute("x", `${at}%`);
    label.setAttribute("text-anchor", at > 66 ? "end" : at < 33 ? "start" : "middle");
    label.textContent = fill(handle.dataset.label, { score: short(present) });
    bars.forEach((bar, bin) => bar.classList.toggle("bar-anomaly", (edges[bin] + edges[bin + 1]) / 2 > present));
    save.hidden = present === data.saved;
    undo.hidden = present === first;
  }

  async function ask() {
    const number = ++asked;
    await new Promise((resolve) => setTimeout(resolve, 150));
    if (number !== asked) return; // it moved on
    try {
      const reply = await fetch(`${form.dataset.address}?threshold=${present}`, { headers: { Accept: "application/json" } });
      if (reply.ok && number === asked) show((await reply.json()).n_anomalies);
    } catch {
      // without the server, the estimate stays
    }
  }

  function move(score, typed = false) {
    present = score;
    if (!typed) field.value = score;
    budget.value = "";
    place();
    show(countAbove(score));
    ask();
  }

  const rounded = (score) => Number(Math.min(high, Math.max(low, score)).toFixed(digits));
  const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
  handle.addEventListener("keydown", (event) => {
    if (event.key in steps) move(rounded(present + (steps[event.key] * span) / 200));
    else if (event.key === "Home") move(low);
    else if (event.key === "End") move(high);
    else if (event.key === "Escape") move(first);
    else return;
    event.preventDefault();
  });
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    handle.focus();
    event.preventDefault();
  });
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const box = handle.parentElement.getBoundingClientRect();
    move(rounded(low + ((event.clientX - box.left) / box.width) * span));
  });
  field.addEventListener("input", () => {
    const score = Number(field.value.replace(",", "."));
    if (field.value.trim() && Number.isFinite(score)) move(score, true);
  });
  budget.addEventListener("input", () => {
    if (budget.value) save.hidden = undo.hidden = false;
  });
  undo.addEventListener("click", () => move(first));
  handle.hidden = false;
  place();
  show(countAbove(present));
  answer.textContent = "";
}
if (form && data && handle) startThreshold();

// Charts ------------------------------------------------------------------------------------------------------
for (const island of document.querySelectorAll("[data-tips]")) {
  const frame = document.querySelector(`[data-chart="${island.dataset.tips}"]`);
  const points = JSON.parse(island.textContent);
  const tip = frame.querySelector("[data-tip]");
  const picture = frame.querySelector("svg");
  const hide = () => (tip.hidden = true);
  frame.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    let nearest = null;
    let least = 24 ** 2; // pixels
    for (const point of points) {
      const distance =
        (box.left + (point[0] / 100) * box.width - event.clientX) ** 2 + (box.top + (point[1] / 100) * box.height - event.clientY) ** 2;
      if (distance < least) [least, nearest] = [distance, point];
    }
    if (!nearest) return hide();
    const outer = frame.getBoundingClientRect();
    tip.hidden = false;
    tip.textContent = nearest[2];
    const left = box.left - outer.left + (nearest[0] / 100) * box.width;
    tip.style.left = `${Math.max(0, Math.min(left + 12, outer.width - tip.offsetWidth))}px`;
    tip.style.top = `${box.top - outer.top + (nearest[1] / 100) * box.height + 12}px`;
  });
  frame.addEventListener("pointerleave", hide);
}

// Link --------------------------------------------------------------------------------------------------------
const link = document.querySelector("[data-copy-link]");
if (link && navigator.clipboard) {
  const words = link.querySelector("span");
  const before = words.textContent;
  link.hidden = false;
  link.querySelector("button").addEventListener("click", async () => {
    await navigator.clipboard.writeText(location.href);
    words.textContent = link.dataset.copied;
    setTimeout(() => (words.textContent = before), 2000);
  });
}
