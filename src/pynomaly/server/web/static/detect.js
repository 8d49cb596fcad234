// The form of a detection: other algorithms and presets without a reload, searches in long lists, numbers that
// choose their way. Without this file every button sends the form, and the page comes back with what was typed.
const form = document.getElementById("detect-form");

for (const tools of document.querySelectorAll(".column-tools, [data-filter][hidden]")) tools.hidden = false;

document.addEventListener("click", (event) => {
  const swap = event.target.closest("button[data-swap]");
  if (swap && form?.contains(swap)) {
    event.preventDefault();
    exchange(swap);
  }
  const tick = event.target.closest("[data-tick]");
  if (tick) {
    for (const box of form.querySelectorAll('[name="column"]:not(:disabled)')) {
      if (!box.closest("li").hidden) box.checked = tick.dataset.tick === "all";
    }
    count();
  }
});

// Ask for the form as it would be with this button pressed, and take over the part that is different.
async function exchange(button) {
  const part = document.getElementById("choices");
  const name = button.name;
  part.setAttribute("aria-busy", "true");
  try {
    const body = new URLSearchParams(new FormData(form, button));
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    const text = await answer.text();
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("choices");
    if (answer.redirected || !fresh) throw new Error("no form came back");
    part.replaceWith(fresh);
    for (const hidden of fresh.querySelectorAll("[data-filter][hidden]")) hidden.hidden = false;
    (name === "preset" ? fresh.querySelector(`[name="preset"][value="${button.value}"]`) : fresh.querySelector("h3"))?.focus();
  } catch {
    button.removeAttribute("data-swap"); // let the browser do it
    form.requestSubmit(button);
  }
}

document.addEventListener("input", (event) => {
  const { target } = event;
  if (target.dataset.filter) {
    const wanted = target.value.trim().toLowerCase();
    for (const item of target.closest("details").querySelectorAll(target.dataset.filter)) {
      item.hidden = wanted !== "" && !item.textContent.toLowerCase().includes(wanted);
    }
  }
  if (target.dataset.way) document.getElementById(target.dataset.way).checked = true;
  if (target.name === "column") count();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.dataset?.filter) event.preventDefault(); // searching is not sending
});

// A number that belongs to a way that was not chosen does not count: it is not sent.
for (const one of document.querySelectorAll("form")) {
  one.addEventListener("formdata", (event) => {
    for (const number of one.querySelectorAll("[data-way]")) {
      if (!document.getElementById(number.dataset.way).checked) event.formData.set(number.name, "");
    }
  });
}

function count() {
  const boxes = [...form.querySelectorAll('[name="column"]:not(:disabled)')];
  const shown = form.querySelector("[data-count]");
  const write = (n) => n.toLocaleString(document.documentElement.lang);
  const ticked = boxes.filter((box) => box.checked).length;
  shown.textContent = shown.dataset.count.replace("{n}", write(ticked)).replace("{all}", write(boxes.length));
}
