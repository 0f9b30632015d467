"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  for (const button of table.querySelectorAll("thead button")) {
    button.addEventListener("click", () => {
      const head = button.closest("th");
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const column = head.cellIndex;
      const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
      const rows = [...body.rows].map((row) => [key(row), row]);
      const numeric = head.classList.contains("number");
      rows.sort(([a], [b]) => {
        if (!numeric) return (up ? 1 : -1) * a.localeCompare(b);
        if (a === "" || b === "") return (a === "") - (b === "");
        return (up ? 1 : -1) * (Number(a) - Number(b) || 0);
      });
      body.append(...rows.map(([, row]) => row));
    });
  }
}
