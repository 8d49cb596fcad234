// Choosing results to compare: the button works once two to five are chosen.
const form = document.querySelector("[data-choose]");
if (form) {
  const hint = form.querySelector("[data-choose-hint]");
  const go = form.querySelector("[data-choose-go]");
  const show = () => {
    const chosen = form.querySelectorAll("input[name=id]:checked").length;
    go.disabled = chosen < 2 || chosen > 5;
    hint.textContent = chosen > 5 ? form.dataset.many : chosen < 2 ? form.dataset.few : "";
    go.lastChild.textContent = go.disabled ? form.dataset.some : `${form.dataset.some} (${chosen})`;
  };
  form.addEventListener("change", show);
  addEventListener("pageshow", show); // the browser remembers what was chosen
  show();
}
