// The sheet of the chosen unit, filled from the table.
"use strict";
{
  const sheet = document.getElementById("sheet");
  const body = document.getElementById("sheet-body");
  const template = document.getElementById("sheet-template");
  const { categories, ties } = page.data;
  const gramsOf = (unit) => page.data.grams[unit].map(BigInt);
  const svgElement = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, text] of Object.entries(attributes)) element.setAttribute(key, text);
    return element;
  };
  const copies = (nodes) => [...nodes].map((node) => node.cloneNode(true));
  // As the table rounds: half up, in whole numbers; in Chinese hundredths of 10,000 t.
  const tonnes = (mass) => (mass > 0n && mass < 500000n ? "< 1" : ((mass + 500000n) / 1000000n).toLocaleString("en"));
  const tensOfThousands = (mass) => page.tensOfThousands(mass);
  const ratio = (part, whole) => Number(part) / Number(whole);
  page.percent = (share) => {
    if (!Number.isFinite(share)) return "–";
    const number = share * 100;
    if (number > 0 && number < 0.001) return "< 0.001 %";
    return number === 0 ? "0 %" : `${Number(number.toPrecision(3)).toLocaleString("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 })} %`;
  };
  let sums; // of all units: the first sheet needs them

  function bar(share, of) {
    const svg = svgElement("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" });
    svg.append(svgElement("rect", { class: "rail", width: 100, height: 8 }));
    if (share > 0) svg.append(svgElement("rect", { class: "part", width: Math.min(100, 100 * share).toFixed(2), height: 8 }));
    if (of > 0) svg.append(svgElement("rect", { class: "mean", x: Math.min(99, 100 * of).toFixed(2), width: 1, height: 8 }));
    return svg;
  }
  const known = (value) => value === value;
  function rank(unit, key, among) {
    const own = page.number(unit, key);
    const values = among.map((other) => page.number(other, key)).filter(known);
    return known(own) ? [1 + values.filter((value) => value > own).length, values.length] : null;
  }

  function fillPeers(rows, unit) {
    const all = page.units;
    const zone = all.filter((at) => page.zone(at) === page.zone(unit));
    for (const [key, column] of page.columns) {
      const cell = page.row(unit).cells[column];
      const head = page.table.tHead.rows[0].cells[column];
      if (!head.classList.contains("number") || head.classList.contains("optional")) continue;
      const [row, name] = [rows.insertRow(), document.createElement("th")];
      name.scope = "row";
      name.append(...copies(head.querySelector("button").childNodes));
      row.append(name);
      const [place, inZone] = [rank(unit, key, all), rank(unit, key, zone)];
      const shown = row.insertCell();
      shown.className = "number";
      shown.append(...copies(cell.childNodes));
      for (const text of [place, inZone].map((ranked) => (ranked ? ranked.map(page.count).join(" / ") : "–"))) {
        const added = row.insertCell();
        added.className = "number";
        added.textContent = text;
      }
      const mark = row.insertCell();
      mark.className = "bars";
      if (place) {
        const at = place[1] > 1 ? (place[1] - place[0]) / (place[1] - 1) : 0.5;
        const svg = svgElement("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" });
        svg.append(svgElement("rect", { class: "rail", width: 100, height: 8 }), svgElement("rect", { class: "place", x: (97 * at).toFixed(1), width: 3, height: 8 }));
        mark.append(svg);
      }
    }
  }

  function fillParts(rows, unit) {
    sums ??= page.units.map(gramsOf).reduce((sum, row) => sum.map((all, at) => all + row[at]), categories.map(() => 0n));
    const masses = gramsOf(unit);
    const mass = new Map(categories.map((name, at) => [name, [masses[at], sums[at]]]));
    const total = { true: [0n, 0n], false: [0n, 0n] };
    const sector = new Map();
    for (const row of rows.querySelectorAll("[data-category]")) {
      const add = (sum) => mass.get(row.dataset.category).map((number, at) => sum[at] + number);
      const sink = row.dataset.of === "sink";
      total[sink] = add(total[sink]);
      sector.set(row.dataset.of, add(sector.get(row.dataset.of) ?? [0n, 0n]));
    }
    for (const row of [...rows.rows]) {
      const of = row.dataset.of ?? row.dataset.sector;
      const [own, all] = row.dataset.category ? mass.get(row.dataset.category) : sector.get(of);
      if (!own && row.dataset.category) { row.remove(); continue; }
      const [mine, others] = total[of === "sink"];
      const whole = row.dataset.sector && page.has(`${of}_t`);
      row.cells[1].replaceChildren(...(whole ? copies(page.cell(unit, `${of}_t`).childNodes) : [page.both(tonnes(own), tensOfThousands(own))]));
      const [share, mean] = [ratio(own, mine), ratio(all, others)];
      row.cells[2].textContent = page.percent(share);
      row.cells[3].textContent = page.percent(mean);
      row.cells[4].append(bar(share, mean));
      row.classList.toggle("taken", of === "sink");
    }
  }

  // The zone was decided by exact products: the rounded index is asked only where there is no zone.
  function isHigh(key, zone, value) {
    if (zone) return key === "ecc" ? zone <= 2 : zone % 2 === 1;
    return ties === ">=" ? value >= 1 : value > 1;
  }

  function fill(unit) {
    const row = page.row(unit);
    const copy = template.content.cloneNode(true);
    const at = (name) => copy.querySelector(`[data-fill="${name}"]`);
    at("name").append(...copies(row.cells[0].firstElementChild.childNodes));
    at("zone").append(...copies(page.cell(unit, "zone").childNodes));
    at("id").textContent = page.cell(unit, "id").textContent;
    const remarks = page.cell(unit, "remarks");
    at("remarks").append(...copies(remarks.childNodes));
    const holds = {
      remarks: remarks.textContent !== "", borderline: "borderline" in row.dataset && row.dataset.zone !== "0", "few-sinks": "fewSinks" in row.dataset, derived: "derived" in row.dataset, either: "either" in row.dataset,
      sure: row.dataset.zone !== "0" && !("borderline" in row.dataset) && !("unsure" in row.dataset) && !page.has("zone_probability"),
    };
    if (page.has("zone_probability")) {
      holds.drawn = row.dataset.zone !== "0";
      for (const key of ["zone_probability", "emission_t_p05", "sink_t_p05", "ecc_p05", "esc_p05"]) at(key).append(...copies(page.cell(unit, key).childNodes));
      copy.querySelector('[data-when="firm"]').hidden = !("firm" in row.dataset);
      copy.querySelector('[data-when="not-firm"]').hidden = "firm" in row.dataset;
    }
    for (const key of ["ecc", "esc"]) {
      const value = page.number(unit, key);
      holds[key] = known(value);
      holds[`no-${key}`] = !known(value);
      at(key).append(...copies(page.cell(unit, key).childNodes));
      const high = isHigh(key, Number(row.dataset.zone), value);
      copy.querySelector(`[data-when="${key}-high"]`).hidden = !high;
      copy.querySelector(`[data-when="${key}-low"]`).hidden = high;
    }
    const zone = [...page.cell(unit, "zone").childNodes].filter((node) => node.nodeName !== "svg");
    for (const key of ["emission_to_leave_zone_t", "sink_to_leave_zone_t", "gdp_to_leave_zone"]) {
      const change = page.number(unit, key);
      holds[key] = known(change);
      if (!holds[key]) continue;
      at(key).append(...copies(page.cell(unit, key).childNodes));
      for (const part of copy.querySelectorAll(`[data-stays="${key}"]`)) part.append(...copies(zone));
      for (const part of copy.querySelectorAll(`[data-less="${key}"]`)) part.hidden = change < 0;
      for (const part of copy.querySelectorAll(`[data-more="${key}"]`)) part.hidden = change > 0;
    }
    for (const part of copy.querySelectorAll("[data-if]")) part.hidden = !holds[part.dataset.if];
    fillPeers(at("peers"), unit);
    fillParts(at("parts"), unit);
    const guidance = document.getElementById(`guidance-${row.dataset.zone}`);
    if (guidance) {
      const list = guidance.cloneNode(true);
      list.removeAttribute("id");
      for (const part of list.querySelectorAll("fewSinks" in row.dataset ? ".on-sinks" : ".few-sinks")) part.remove();
      at("guidance").replaceWith(list);
    }
    body.replaceChildren(copy);
  }

  let origin = null; // what had the focus before the sheet took it
  page.close = () => {
    const back = sheet.contains(document.activeElement) ? origin : null;
    page.choose(null);
    back?.focus();
  };
  const actions = {
    close: page.close,
    show: () => {
      page.zoomTo(page.chosen);
      document.getElementById("map").scrollIntoView({ block: "nearest" });
    },
    print: () => {
      document.documentElement.classList.add("sheet-only");
      addEventListener("afterprint", () => document.documentElement.classList.remove("sheet-only"), { once: true });
      print();
    },
  };
  body.addEventListener("click", (event) => actions[event.target.closest("button")?.dataset.do]?.());
  page.on("choose", (unit, before, from) => {
    sheet.classList.toggle("filled", unit !== null);
    if (unit === null) { body.replaceChildren(); return; }
    fill(unit);
    if (from === undefined) return;
    sheet.scrollIntoView({ block: "start" });
    if (from !== "name" && from !== "key") return;
    origin = document.activeElement;
    sheet.focus({ preventScroll: true });
  });
}
