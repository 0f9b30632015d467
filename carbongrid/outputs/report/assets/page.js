// What all parts of the page share: the table as data, the unit pointed at, the unit chosen, the units shown.
"use strict";
const page = {
  // The rows of a long table, as text that the browser has passed over; null of a short one, which is there.
  lines: (() => {
    const stored = document.getElementById("stored");
    if (!stored) return null;
    document.getElementById("table")?.remove(); // what a browser saved with the page: the text has all rows
    const [head, ...lines] = stored.textContent.split(/(?=<tr id="unit-)/);
    stored.insertAdjacentHTML("afterend", head);
    return lines;
  })(),
  data: JSON.parse(document.getElementById("data").textContent),
  table: document.getElementById("table"),
  tip: document.getElementById("tip"),
  listeners: { hover: [], choose: [], show: [], change: [] },
  pointed: null,
  chosen: null,

  on(event, listener) { this.listeners[event].push(listener); },
  tell(event, ...told) { for (const listener of this.listeners[event]) listener(...told); },

  // In the order of the units, whatever the table is sorted by; null where a row was not needed yet.
  rows: [],
  units: [],
  columns: new Map(),

  read() {
    this.rows = this.lines ? this.lines.map(() => null) : [...this.table.tBodies[0].rows];
    this.units = this.rows.map((_, unit) => unit);
    this.rows.forEach((row, unit) => { if (row) row.dataset.row = unit; });
    for (const head of this.table.tHead.rows[0].cells) {
      if (!this.columns.has(head.dataset.key)) this.columns.set(head.dataset.key, head.cellIndex);
    }
    this.shown = this.rows.map(() => true);
  },
  row(unit) {
    if (!this.rows[unit]) {
      const body = document.createElement("tbody");
      body.innerHTML = this.lines[unit];
      const [row] = body.rows;
      row.dataset.row = unit;
      row.classList.toggle("pointed", unit === this.pointed);
      row.classList.toggle("chosen", unit === this.chosen);
      this.rows[unit] = row;
    }
    return this.rows[unit];
  },
  cell(unit, key) { return this.row(unit).cells[this.columns.get(key)]; },

  // What a cell says, whether or not its row was made: of twenty thousand rows that would take a browser half a minute.
  held(unit, column) {
    if (!this.lines) {
      const cell = this.rows[unit].cells[column];
      return { html: cell.innerHTML, exact: cell.dataset.v, code: cell.dataset.code };
    }
    if (this.opened !== unit) [this.opened, this.pieces] = [unit, this.lines[unit].split("</t")];
    const [, tag, html] = /<t[hd]([^>]*)>(.*)/s.exec(this.pieces[column]);
    const attribute = (name) => { const found = tag.match(` ${name}="([^"]*)"`); return found ? this.plain(found[1]) : undefined; };
    return { html, exact: attribute("data-v"), code: attribute("data-code") };
  },
  // The text of markup, of which names are none: they are escaped.
  plain(html) {
    const signs = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: "\u00a0", "#34": '"', "#39": "'" };
    return html.replace(/<[^>]*>/g, "").replace(/&(amp|lt|gt|quot|nbsp|#34|#39);/g, (_, sign) => signs[sign]);
  },
  // Without the words of the other language.
  said(html, other) { return this.plain(html.replace(new RegExp(`<span class="${other}"[^>]*>.*?</span>`, "gs"), "")).trim(); },
  get other() { return document.documentElement.lang.startsWith("zh") ? "en" : "zh"; },
  // As units.csv has it.
  exact(unit, key) { return this.exacts.get(key)[unit]; },
  get exacts() {
    const keys = [...this.columns].filter(([, column]) => this.units.length && this.held(0, column).exact !== undefined);
    const found = new Map(keys.map(([key]) => [key, new Array(this.units.length)]));
    for (const unit of this.units) {
      // No name has a quote in it: they are escaped.
      const texts = this.lines?.[unit].split(' data-v="');
      keys.forEach(([key, column], at) => {
        found.get(key)[unit] = texts ? texts[at + 1].slice(0, texts[at + 1].indexOf('"')) : this.held(unit, column).exact;
      });
    }
    Object.defineProperty(this, "exacts", { value: found });
    return found;
  },
  marked(unit, mark) {
    if (!this.lines) return this.rows[unit].hasAttribute(`data-${mark}`);
    const line = this.lines[unit];
    return `${line.slice(0, line.indexOf(">"))} `.includes(` data-${mark} `);
  },
  // A unit without a zone is sorted behind the last.
  zone(unit) { return this.exact(unit, "zone").replace("9", "0"); },
  has(key) { return this.columns.has(key); },
  head(key) { return this.table.tHead.rows[0].cells[this.columns.get(key)]; },
  // Grams as the table has them: tonnes with six decimals.
  grams(unit, key) { return BigInt(this.exact(unit, key).replace(".", "")); },

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
  // Grams, none below 0, are rounded once and in integers, as outputs/numbers.py rounds them: 999.9 t is 1.00 kt.
  roundedHalfUp(grams, step) { return Number((grams + step / 2n) / step * step); },
  threeDigits(grams) { return this.roundedHalfUp(grams, 10n ** BigInt(Math.max(0, `${grams}`.length - 3))); },
  mass(grams) {
    const rounded = this.threeDigits(grams);
    const [scale, unit] = rounded >= 1e12 ? [1e12, "Mt"] : rounded >= 1e9 ? [1e9, "kt"] : [1e6, "t"];
    const english = 0n < grams && grams < 1000n ? "< 0.001 t" : `${this.digits(rounded / scale)} ${unit}`;
    return this.both(english, this.massInChinese(grams));
  },
  massInChinese(grams) {
    if (0n < grams && grams < 1000n) return "< 0.001 吨";
    const rounded = this.threeDigits(grams);
    return rounded >= 1e10 ? `${this.digits(rounded / 1e10)} 万吨` : `${this.digits(rounded / 1e6)} 吨`;
  },
  tensOfThousands(grams) {
    if (0n < grams && grams < 100_000_000n) return this.massInChinese(grams);
    return (this.roundedHalfUp(grams, 100_000_000n) / 1e10).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  },
  // A number as units.csv has it; NaN where it is unknown.
  numbers: new Map(),
  number(unit, key) {
    if (!this.has(key)) return NaN;
    if (!this.numbers.has(key)) {
      this.numbers.set(key, this.units.map((each) => {
        const exact = this.exact(each, key);
        return exact === "" ? NaN : exact === "inf" ? Infinity : Number(exact);
      }));
    }
    return this.numbers.get(key)[unit];
  },

  point(unit, where) {
    if (unit !== this.pointed) {
      const before = this.pointed;
      this.pointed = unit;
      if (before !== null) this.row(before).classList.remove("pointed");
      if (unit !== null) this.row(unit).classList.add("pointed");
      this.tell("hover", unit, before);
      if (unit === null) this.tip.hidden = true;
      else if (where) this.fillTip(unit);
    }
    if (unit !== null && where) this.placeTip(where);
  },
  choose(unit, from) {
    const before = this.chosen;
    this.chosen = unit;
    if (before !== null) this.row(before).classList.remove("chosen");
    if (unit !== null) this.row(unit).classList.add("chosen");
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
    for (const node of this.row(unit).cells[0].firstElementChild.childNodes) name.append(node.cloneNode(true));
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
