// Single keys for triage: each [data-key] is pressed by its key, unless keys are switched off (WCAG 2.1.4).
const STORED = "pynomaly-single-keys";
const bar = document.querySelector("[data-keys]");
const box = document.querySelector("[data-keys-on]");
const help = document.getElementById("keys-help");

function stored() {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}

function apply(on) {
  document.body.classList.toggle("keys-on", on);
  for (const one of document.querySelectorAll("[data-key]")) {
    if (on) one.setAttribute("aria-keyshortcuts", one.dataset.key);
    else one.removeAttribute("aria-keyshortcuts");
  }
}

let on = stored();
apply(on);
if (bar) {
  bar.hidden = false;
  box.checked = on;
  box.addEventListener("change", () => {
    on = box.checked;
    apply(on);
    try {
      localStorage.setItem(STORED, on ? "on" : "off");
    } catch {
      // it holds for this page
    }
  });
  bar.querySelector("[data-keys-help]").addEventListener("click", () => help.showModal());
}

const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable]";

addEventListener("keydown", (event) => {
  if (!on || event.defaultPrevented || event.repeat || event.isComposing) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!target) return;
  event.preventDefault();
  target.click();
});
