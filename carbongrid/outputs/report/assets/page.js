// What all parts of the page share: the table as data, the unit pointed at, the unit chosen, the units shown.
"use strict";
const page = {
  data: JSON.parse(document.getElementById("data").textContent),
  table: document.getElementById("table"),
  tip: document.getElementById("tip"),
  listeners: { hover: [], choose: [], show: [], change: [] },
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
  head(key) { return this.table.tHead.rows[0].cells[this.columns.get(key)]; },
  // Grams as the table has them: tonnes with six decimals.
  grams(unit, key) { return BigInt(this.cell(unit, key).dataset.v.replace(".", "")); },

  // Words and numbers in both languages, of which the switch shows one.
  both(english, chinese) {
    const words = document.createDocumentFragment();
    for (const [code, text] of [["en", english], ["zh", chinese]]) {
      const span = document.createElement("span");
      [span.className, span.lang, span.textContent] = [code, code, text];
      words.append(span);
    }
    return words;
  },
  count(number) { return number.toLocaleString("en"); },
  // Three digits, as Python writes them.
  digits(number) {
    const rounded = Number(number.toPrecision(3));
    if (rounded === 0) return "0";
    const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
    return rounded.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
  },
  mass(grams) {
    const value = Number(grams);
    const [scale, unit] = value >= 1e12 ? [1e12, "Mt"] : value >= 1e9 ? [1e9, "kt"] : [1e6, "t"];
    const english = 0 < value && value < 1000 ? "< 0.001 t" : `${this.digits(value / scale)} ${unit}`;
    return this.both(english, this.massInChinese(value));
  },
  massInChinese(value) {
    if (0 < value && value < 1000) return "< 0.001 吨";
    return value >= 1e10 ? `${this.digits(value / 1e10)} 万吨` : `${this.digits(value / 1e6)} 吨`;
  },
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
    this.tell("change");
  },

  // Six rows at most: the zone, what the map is coloured by, and the numbers that zones are made of.
  told() {
    const layer = { emission: "emission_t", sink: "sink_t", sure: "zone_probability", cells: "emission_t", parcels: "emission_t" }[this.layered] ?? this.layered;
    const wanted = ["zone", layer, "emission_t", "sink_t", "ecc", "esc", "ccr"].filter((key, at, all) => this.has(key) && all.indexOf(key) === at);
    return wanted.slice(0, 6);
  },
  layered: "zone",
  fillTip(unit) {
    const list = document.createElement("dl");
    for (const key of this.told()) {
      const [head, cell] = [this.head(key), this.cell(unit, key)];
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
    // A title has no parts to hide: its second line is Chinese.
    for (const title of document.querySelectorAll(".bands title")) {
      title.lines ??= title.textContent.split("\n");
      title.textContent = title.lines[wanted === "zh" ? 1 : 0];
    }
    this.label?.();
    this.name?.(wanted === "zh" ? "en" : "zh");
  },
};
