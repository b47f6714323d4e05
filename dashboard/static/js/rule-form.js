// The form of a rule: only the fields of the kind that is chosen are shown.

for (const group of document.querySelectorAll("[data-kinds]")) {
  const select = group.querySelector("select");
  const show = () => {
    for (const branch of group.querySelectorAll(":scope > [data-kind]")) {
      branch.hidden = branch.dataset.kind !== select.value;
    }
  };
  select.addEventListener("change", show);
  show();
}

// Whoever ticks one of several means only these.
document.getElementById("rule-form").addEventListener("change", (event) => {
  if (event.target.type !== "checkbox" || !event.target.checked) return;
  const some = document.querySelector(`[name="${event.target.name}.given"][value="some"]`);
  if (some !== null) some.checked = true;
});
