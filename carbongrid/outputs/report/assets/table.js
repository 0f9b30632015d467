// The table of units: sorting, searching, filtering.
"use strict";
{
  const { table } = page;
  const body = table.tBodies[0];
  const form = document.getElementById("filters");
  const count = document.getElementById("count");
  page.read();

  // Rows after the hundredth are drawn some at a time, so that a long table answers from the start; all at once if they are needed.
  const later = [...body.getElementsByClassName("later")].reverse();
  page.draw = (rows = later.length) => {
    for (const row of later.splice(-rows, rows)) row.classList.remove("later");
  };
  page.drawOn = () => {
    page.draw(200);
    if (later.length) setTimeout(page.drawOn, 150);
  };
  // Hidden only now, when what shows them again is there: no failure of another script can keep rows from the reader.
  table.classList.add("lazy");
  setTimeout(page.drawOn, 1000);
  table.parentElement.addEventListener("scroll", () => page.draw(), { once: true, passive: true });

  let texts; // what the search looks into
  const words = (unit) => {
    texts ??= page.rows.map((row) =>
      [row.cells[0], ...[...row.cells].filter((cell, at) => at > 0 && !("v" in cell.dataset))]
        .map((cell) => cell.textContent).join(" ").toLowerCase());
    return texts[unit];
  };

  // Of numbers the highest are asked for first, of words the first.
  page.sortBy = (head, wanted) => {
    page.draw();
    const first = head.classList.contains("number") ? "descending" : "ascending";
    const order = wanted ?? (head.getAttribute("aria-sort") !== first ? first : first === "ascending" ? "descending" : "ascending");
    const up = order === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const column = head.cellIndex;
    const numeric = "v" in page.rows[0].cells[column].dataset;
    const key = (row) => {
      const cell = row.cells[column];
      return numeric ? (cell.dataset.v === "inf" ? Infinity : cell.dataset.v === "" ? NaN : Number(cell.dataset.v)) : cell.textContent.trim();
    };
    const sign = up ? 1 : -1;
    const words = new Intl.Collator(document.documentElement.lang, { numeric: true });
    const rows = page.rows.map((row) => [key(row), row]);
    rows.sort(([a], [b]) => {
      if (!numeric) return sign * words.compare(a, b);
      if (a !== a || b !== b) return (a !== a) - (b !== b); // the unknown last, either way
      return a === b ? 0 : sign * (a < b ? -1 : 1);
    });
    body.append(...rows.map(([, row]) => row));
    page.tell("change");
  };
  for (const button of table.tHead.querySelectorAll("button")) {
    button.addEventListener("click", () => page.sortBy(button.closest("th")));
  }

  const within = (unit, key) => {
    const [from, to] = ["from", "to"].map((end) => form.elements[`${key}-${end}`].value);
    if (from === "" && to === "") return true;
    const value = page.number(unit, key);
    return (from === "" || value >= Number(from)) && (to === "" || value <= Number(to));
  };
  page.filter = () => {
    const wanted = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const zones = new Set([...form.querySelectorAll("[name=zone]:checked")].map((box) => box.value));
    const unsure = form.elements.unsure.checked;
    page.shown = page.rows.map((row, unit) =>
      zones.has(row.dataset.zone) && wanted.every((word) => words(unit).includes(word)) &&
      (!unsure || "unsure" in row.dataset) && within(unit, "ecc") && within(unit, "esc"));
    page.rows.forEach((row, unit) => { row.hidden = !page.shown[unit]; });
    const number = page.shown.filter(Boolean).length;
    if (number < page.rows.length) page.draw();
    count.textContent = `${page.count(number)} / ${page.count(page.rows.length)}`;
    document.getElementById("no-match").hidden = number > 0;
    table.parentElement.hidden = number === 0;
    page.filtered = number < page.rows.length;
    page.tell("show", page.shown, page.filtered);
    page.tell("change");
  };
  form.addEventListener("input", (event) => { if (event.target.id !== "more-columns") page.filter(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  page.showAll = () => {
    const whole = table.classList.contains("whole");
    form.reset();
    document.getElementById("more-columns").checked = whole;
    form.dispatchEvent(new Event("cleared"));
    page.filter();
  };
  for (const name of ["show-all", "reset"]) document.getElementById(name).addEventListener("click", page.showAll);
  document.getElementById("more-columns").addEventListener("change", (event) => {
    table.classList.toggle("whole", event.target.checked);
    page.tell("change");
  });

  body.addEventListener("pointerover", (event) => {
    const row = event.target.closest("tr");
    if (row && event.pointerType !== "touch") page.point(Number(row.dataset.row));
  });
  body.addEventListener("pointerleave", () => page.point(null));
  body.addEventListener("focusin", (event) => page.point(Number(event.target.closest("tr").dataset.row)));
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (!row || (event.target.closest("a") === null && String(getSelection()) !== "")) return;
    event.preventDefault();
    page.choose(Number(row.dataset.row), event.target.closest("a") ? "name" : "table");
  });
  page.on("choose", (unit, before, from) => {
    if (unit === null || from === "table" || from === "name") return;
    const [row, frame] = [page.rows[unit], table.parentElement];
    if (row.hidden) return;
    page.draw();
    const top = row.offsetTop - table.tHead.offsetHeight;
    frame.scrollTop = Math.max(0, top - frame.clientHeight / 3);
  });
}
