// Rows of a form that can be added and removed: each is made from the template beside them.

let next = 1000;

function numbered(list) {
  [...list.children].forEach((row, index) => {
    row.querySelector("[data-number]").textContent = String(index + 1);
  });
}

function add(rows) {
  const template = rows.querySelector(":scope > template");
  const made = document.createElement("template");
  next += 1;
  made.innerHTML = template.innerHTML.replaceAll(rows.dataset.token, String(next));
  const list = rows.querySelector(":scope > [data-list]");
  list.append(made.content);
  numbered(list);
  list.lastElementChild.querySelector("input, select, textarea")?.focus();
}

document.addEventListener("click", (event) => {
  const adding = event.target.closest("[data-add-row]");
  if (adding) add(adding.closest("[data-rows]"));
  const removing = event.target.closest("[data-remove-row]");
  if (!removing) return;
  const row = removing.closest("[data-row]");
  const list = row.parentElement;
  row.remove();
  numbered(list);
  list.dispatchEvent(new Event("change", { bubbles: true }));
});
