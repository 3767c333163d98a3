// The two days are asked for only when the period is between two days; a choice is shown at once.
const filters = document.getElementById("filters");
const during = filters.elements.during;

function show() {
  const between = during.value === "between";
  for (const label of filters.querySelectorAll(".between")) label.hidden = !between;
  for (const name of ["from", "to"]) filters.elements[name].disabled = !between;
}
show();
during.addEventListener("change", show);
filters.addEventListener("change", ({ target }) => {
  if (target.name === "as_of" || during.value === "between") return; // still being filled in
  filters.requestSubmit();
});
filters.addEventListener("submit", () => {
  const instant = filters.elements.as_of;
  instant.disabled = !instant.value; // a short address
});
addEventListener("pageshow", () => {
  filters.elements.as_of.disabled = false;
  show();
});
