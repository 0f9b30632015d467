// The table of units: sorting, searching, filtering.
"use strict";
{
  const { table } = page;
  const body = table.tBodies[0];
  const form = document.getElementById("filters");
  const count = document.getElementById("count");
  page.read();

  // Of thousands of units the table has pages, since a browser lays a table out as a whole.
  const frame = table.parentElement;
  const pager = document.getElementById("pager");
  const size = page.data.rows_of_a_page;
  let sorted = page.units;
  page.listed = sorted; // the units that are shown, in their order
  let [first, whole] = [0, false];
  // Rows after the first are drawn some at a time, so that a long table answers from the start; all of its page at once if they are needed.
  let drawn = Math.min(page.data.rows_at_once, size);
  const lay = () => {
    const units = whole ? page.listed : page.listed.slice(first, first + drawn);
    const rows = units.map((unit) => page.row(unit));
    let kept = 0;
    while (kept < rows.length && body.rows[kept] === rows[kept]) kept += 1;
    for (const row of [...body.rows].slice(kept)) row.remove(); // read once: a browser counts them anew after each that goes
    body.append(...rows.slice(kept));
  };
  page.draw = (rows = size) => {
    if (drawn === size) return;
    drawn = Math.min(size, drawn + rows);
    lay();
  };
  page.drawOn = () => {
    page.draw(200);
    if (drawn < size) setTimeout(page.drawOn, 150);
  };
  setTimeout(page.drawOn, 1000);
  frame.addEventListener("scroll", () => page.draw(), { once: true, passive: true });
  const list = () => {
    page.listed = sorted.filter((unit) => page.shown[unit]);
    turn(0);
  };
  const turn = (to) => {
    first = to;
    lay();
    if (!pager) return;
    const [from, until, all] = [first + 1, Math.min(first + size, page.listed.length), page.listed.length].map(page.count);
    pager.hidden = page.listed.length <= size;
    pager.querySelector("output").replaceChildren(page.both(`rows ${from} to ${until} of ${all}`, `第 ${from} 至 ${until} 行，共 ${all} 行`));
    for (const button of pager.querySelectorAll("button")) button.disabled = !(first + button.dataset.turn * size in page.listed);
  };
  pager?.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    page.draw();
    turn(first + button.dataset.turn * size);
    if (button.disabled) pager.querySelector("button:enabled").focus(); // at the end, who turns by keyboard stays here
    frame.scrollTop = 0;
  });
  // Paper has all rows, but where it is the sheet of one unit.
  const onPaper = (paper) => {
    const wanted = paper && !document.documentElement.classList.contains("sheet-only");
    if (whole === wanted) return;
    whole = wanted;
    lay();
  };
  addEventListener("beforeprint", () => onPaper(true));
  addEventListener("afterprint", () => onPaper(false));
  matchMedia("print").addEventListener("change", (event) => onPaper(event.matches));

  let texts; // what the search looks into
  const words = (unit) => {
    if (!texts) {
      const columns = [...table.tHead.rows[0].cells].map((_, at) => at).filter((at) => at === 0 || page.held(0, at).exact === undefined);
      texts = page.units.map((each) => columns.map((at) => page.plain(page.held(each, at).html)).join(" ").toLowerCase());
    }
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
    const numeric = page.held(0, column).exact !== undefined;
    const key = (unit) => (numeric ? page.number(unit, head.dataset.key) : page.plain(page.held(unit, column).html).trim());
    const sign = up ? 1 : -1;
    const words = new Intl.Collator(document.documentElement.lang, { numeric: true });
    const keyed = page.units.map((unit) => [key(unit), unit]);
    keyed.sort(([a], [b]) => {
      if (!numeric) return sign * words.compare(a, b);
      if (a !== a || b !== b) return (a !== a) - (b !== b); // the unknown last, either way
      return a === b ? 0 : sign * (a < b ? -1 : 1);
    });
    sorted = keyed.map(([, unit]) => unit);
    list();
    page.tell("change");
  };
  for (const button of table.tHead.querySelectorAll("button")) {
    button.addEventListener("click", () => page.sortBy(button.closest("th")));
  }

  const within = (key) => {
    const [from, to] = ["from", "to"].map((end) => form.elements[`${key}-${end}`].value);
    if (from === "" && to === "") return () => true;
    return (unit) => {
      const value = page.number(unit, key);
      return (from === "" || value >= Number(from)) && (to === "" || value <= Number(to));
    };
  };
  page.filter = () => {
    const wanted = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const zones = new Set([...form.querySelectorAll("[name=zone]:checked")].map((box) => box.value));
    const unsure = form.elements.unsure.checked;
    const [inECC, inESC] = ["ecc", "esc"].map(within);
    page.shown = page.units.map((unit) =>
      zones.has(page.zone(unit)) && wanted.every((word) => words(unit).includes(word)) &&
      (!unsure || page.marked(unit, "unsure")) && inECC(unit) && inESC(unit));
    list();
    const number = page.listed.length;
    if (number < page.rows.length) page.draw();
    count.textContent = `${page.count(number)} / ${page.count(page.rows.length)}`;
    document.getElementById("no-match").hidden = number > 0;
    frame.hidden = number === 0;
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
    const at = page.listed.indexOf(unit);
    if (at < 0) return;
    page.draw();
    turn(at - (at % size));
    const top = page.row(unit).offsetTop - table.tHead.offsetHeight;
    frame.scrollTop = Math.max(0, top - frame.clientHeight / 3);
  });
}
