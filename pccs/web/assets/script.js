// Nothing of the page needs this: it sorts tables and keeps the page current.
"use strict";

(() => {
  const every = 30000; // milliseconds
  const key = cell => cell ? cell.dataset.key ?? cell.textContent.trim() : "";

  function sortable(table) {
    table.querySelectorAll("thead th").forEach((th, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...th.childNodes);
      th.append(button);
      button.addEventListener("click", () => {
        const down = th.getAttribute("aria-sort") === "ascending";
        table.querySelectorAll("thead th").forEach(other => other.removeAttribute("aria-sort"));
        th.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows];
        const collator = new Intl.Collator("en", { numeric: true });
        rows.sort((a, b) => collator.compare(key(a.cells[column]), key(b.cells[column])) * (down ? -1 : 1));
        table.tBodies[0].append(...rows);
      });
    });
  }

  const prepare = () => document.querySelectorAll("table[data-sort]").forEach(sortable);
  prepare();

  const clock = document.getElementById("clock");
  if (!clock) return;
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = sessionStorage.getItem("live") === "yes";
  label.className = "live";
  label.append(box, "live");
  label.title = "Load the page again every 30 seconds";
  clock.after(label);
  box.addEventListener("change", () => sessionStorage.setItem("live", box.checked ? "yes" : "no"));

  // busy: the reader is in the middle of something that a new page would undo.
  const busy = () => document.querySelector("main details[open], main th[aria-sort]") || document.activeElement?.tagName === "INPUT" && document.activeElement !== box;

  setInterval(async () => {
    if (!box.checked || document.hidden || busy()) return;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.statusText);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.querySelector("main").replaceWith(fresh.querySelector("main"));
      clock.replaceChildren(...fresh.getElementById("clock").childNodes);
      prepare();
    } catch {
      clock.textContent = "the service does not answer";
    }
  }, every);
})();
