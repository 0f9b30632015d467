// What all parts of the page share: the table as data, the unit pointed at, the unit chosen, the units shown.
"use strict";
const page = {
  data: JSON.parse(document.getElementById("data").textContent),
  table: document.getElementById("table"),
  tip: document.getElementById("tip"),
  listeners: { hover: [], choose: [], show: [] },
  pointed: null,
  chosen: null,

  on(event, listener) { this.listeners[event].push(listener); },
  tell(event, ...told) { for (const listener of this.listeners[event]) listener(...told); },

  // The rows in the order of the units, whatever the table is sorted by.
  rows: [],
  columns: new Map(),

  read() {
    this.rows = [...this.table.tBodies[0].rows];
    this.rows.forEach((row, number) => { row.dataset.row = number; });
    for (const head of this.table.tHead.rows[0].cells) {
      if (!this.columns.has(head.dataset.key)) this.columns.set(head.dataset.key, head.cellIndex);
    }
    this.shown = this.rows.map(() => true);
  },
  cell(unit, key) { return this.rows[unit].cells[this.columns.get(key)]; },
  has(key) { return this.columns.has(key); },
  // A number as units.csv has it; NaN where it is unknown.
  number(unit, key) {
    const exact = this.has(key) ? this.cell(unit, key).dataset.v : "";
    return exact === "" ? NaN : exact === "inf" ? Infinity : Number(exact);
  },

  point(unit, where) {
    if (unit !== this.pointed) {
      const before = this.pointed;
      this.pointed = unit;
      if (before !== null) this.rows[before].classList.remove("pointed");
      if (unit !== null) this.rows[unit].classList.add("pointed");
      this.tell("hover", unit, before);
      if (unit === null) this.tip.hidden = true;
      else if (where) this.fillTip(unit);
    }
    if (unit !== null && where) this.placeTip(where);
  },
  choose(unit, from) {
    const before = this.chosen;
    this.chosen = unit;
    if (before !== null) this.rows[before].classList.remove("chosen");
    if (unit !== null) this.rows[unit].classList.add("chosen");
    this.tell("choose", unit, before, from);
  },

  // Every number that the table shows of the unit, with its unit of measure.
  fillTip(unit) {
    const list = document.createElement("dl");
    for (const head of this.table.tHead.rows[0].cells) {
      const cell = this.rows[unit].cells[head.cellIndex];
      if (head.dataset.key === "name" || cell.textContent === "") continue;
      const [term, text] = [document.createElement("dt"), document.createElement("dd")];
      for (const node of head.querySelector("button").childNodes) {
        if (node.nodeName !== "SMALL") term.append(node.cloneNode(true));
      }
      for (const node of cell.childNodes) text.append(node.cloneNode(true));
      const measure = head.querySelector("small");
      if (measure && cell.textContent !== "–") text.append(" ", ...[...measure.childNodes].map((node) => node.cloneNode(true)));
      list.append(term, text);
    }
    const name = document.createElement("strong");
    for (const node of this.rows[unit].cells[0].firstElementChild.childNodes) name.append(node.cloneNode(true));
    this.tip.replaceChildren(name, list);
  },
  placeTip({ x, y }) {
    this.tip.hidden = false;
    const { width, height } = this.tip.getBoundingClientRect();
    const right = x + 18 + width > innerWidth ? x - width - 14 : x + 18;
    const below = Math.min(y + 14, innerHeight - height - 6);
    this.tip.style.left = `${Math.max(6, right)}px`;
    this.tip.style.top = `${Math.max(6, below)}px`;
  },

  language(wanted) {
    const root = document.documentElement;
    root.lang = wanted === "zh" ? "zh-CN" : "en";
    document.getElementById(`language-${wanted}`).checked = true;
    for (const element of document.querySelectorAll("[data-label-zh]")) {
      element.setAttribute("aria-label", element.dataset[wanted === "zh" ? "labelZh" : "labelEn"]);
    }
  },
};
