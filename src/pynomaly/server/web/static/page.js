// What every page has: times in the reader's own zone and way of writing, forms that are sent once, text to copy.
const { lang } = document.documentElement;
const locale = navigator.language.startsWith(lang) ? undefined : lang;
const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

function tellTimes() {
  for (const time of document.querySelectorAll("time[datetime]:not([title])")) {
    const when = new Date(time.dateTime);
    if (Number.isNaN(when.getTime())) continue;
    time.title = time.textContent; // as the server wrote it, in UTC
    time.textContent = moment.format(when);
  }
}
tellTimes();
document.addEventListener("renewed", tellTimes); // another script took a part of the page over anew

for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault(); // a double click sends once
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 4000);
  });
}
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

for (const block of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = block.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent);
    button.textContent = block.dataset.copied;
    setTimeout(() => (button.textContent = block.dataset.copy), 2000);
  });
  if (navigator.clipboard) block.append(button); // only where the connection is safe
}
