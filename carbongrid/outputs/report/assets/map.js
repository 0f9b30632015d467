// The map: layers, pointing, choosing, the arrow keys, zoom.
"use strict";
{
  const svg = document.getElementById("land");
  const ground = document.getElementById("ground");
  const marks = document.getElementById("marks");
  const shapes = new Map([...svg.querySelectorAll("a[data-row]")].map((a) => [Number(a.dataset.row), a]));
  const places = page.data.places;
  const [x, y, width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  const use = (unit, name) => {
    const copy = document.createElementNS(svg.namespaceURI, "use");
    copy.setAttribute("href", `#shape-${unit + 1}`);
    copy.setAttribute("class", name);
    return copy;
  };

  // The tooltip says more than the plain title.
  for (const a of shapes.values()) {
    a.querySelector("title")?.remove();
    a.setAttribute("tabindex", "-1");
  }
  // A name for those who hear the page: what the table says, without the words of the other language.
  // Of thousands only the unit that is reached is told in full; the others have their names.
  let describe = () => {};
  page.name = (other) => {
    const keys = ["zone", "zone_probability", "emission_t", "sink_t", "ccr", "ecc", "esc"].filter((key) => page.has(key));
    const heads = keys.map((key) => {
      const words = [...page.head(key).querySelector("button").childNodes];
      const [measure, name] = [words.filter((node) => node.nodeName === "SMALL"), words.filter((node) => node.nodeName !== "SMALL")];
      return [page.columns.get(key), ...[name, measure].map((nodes) => page.said(nodes.map((node) => node.outerHTML ?? node.data).join(""), other))];
    });
    const words = (unit, at) => page.said(page.held(unit, at).html, other);
    describe = (unit) => shapes.get(unit)?.setAttribute("aria-label", `${words(unit, 0)}: ${heads.map(([at, head, measure]) => `${head} ${words(unit, at)} ${measure}`.trim()).join(", ")}`);
    for (const unit of page.data.paged ? [entry] : shapes.keys()) describe(unit);
  };
  let entry = shapes.keys().next().value;
  const enter = (unit) => {
    shapes.get(entry)?.setAttribute("tabindex", "-1");
    entry = unit;
    if (page.data.paged) describe(unit);
    shapes.get(unit)?.setAttribute("tabindex", "0");
  };
  if (entry !== undefined) enter(entry);

  // Over the coarse grid, and over parcels, the units are outlines that can still be pointed at.
  page.layer = (key) => {
    page.layered = key;
    document.getElementById(`layer-${key}`).checked = true;
    const layer = page.data.layers[key];
    for (const [unit, a] of shapes) a.setAttribute("fill", layer ? layer.colours[layer.of[unit]] : "transparent");
    for (const ground of ["cells", "parcels"]) document.getElementById(ground)?.toggleAttribute("hidden", key !== ground);
    svg.classList.toggle("gridded", key === "cells" || key === "parcels");
    for (const legend of document.querySelectorAll(".legend[data-layer]")) legend.hidden = legend.dataset.layer !== key;
    for (const note of document.querySelectorAll("[data-note]")) note.hidden = note.dataset.note !== key;
    page.tell("change");
  };
  if (page.units.every((unit) => page.zone(unit) === "0") && "emission" in page.data.layers) {
    page.layer("emission"); // a map without a zone says nothing
  }
  page.firstLayer = page.layered;
  document.getElementById("layers").addEventListener("change", (event) => page.layer(event.target.value));

  const unitOf = (target) => {
    const a = target.closest("a[data-row]");
    return a ? Number(a.dataset.row) : null;
  };
  svg.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch") page.point(unitOf(event.target), { x: event.clientX, y: event.clientY });
  });
  svg.addEventListener("pointerleave", () => page.point(null));
  svg.addEventListener("click", (event) => {
    const unit = unitOf(event.target);
    if (unit === null) return;
    event.preventDefault();
    enter(unit);
    page.choose(unit, event.detail === 0 ? "key" : "map"); // a click by Enter counts no clicks
  });

  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  svg.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    const from = unitOf(event.target);
    if (!step || from === null || !places[from]) return;
    event.preventDefault();
    let [best, nearest] = [null, Infinity];
    for (const unit of shapes.keys()) {
      if (unit === from || !places[unit] || !page.shown[unit]) continue;
      const [dx, dy] = [places[unit][0] - places[from][0], places[unit][1] - places[from][1]];
      const [ahead, aside] = [dx * step[0] + dy * step[1], Math.abs(dx * step[1]) + Math.abs(dy * step[0])];
      const cost = ahead > 0 ? ahead + 2 * aside : Infinity;
      if (cost < nearest) [best, nearest] = [unit, cost];
    }
    if (best === null) return;
    enter(best);
    shapes.get(best).focus({ preventScroll: true });
  });
  // On the box around the map: Chromium lets Tab stop at a drawing that listens for the focus.
  svg.parentElement.addEventListener("focusin", (event) => {
    const unit = unitOf(event.target);
    if (unit === null) return;
    const box = event.target.getBoundingClientRect();
    page.point(unit, { x: box.right, y: box.bottom });
  });
  svg.parentElement.addEventListener("focusout", () => page.point(null));

  const mark = () => {
    marks.replaceChildren();
    if (page.chosen !== null && shapes.has(page.chosen)) marks.append(use(page.chosen, "chosen"));
    if (page.pointed !== null && shapes.has(page.pointed)) marks.append(use(page.pointed, "pointed"));
  };
  page.on("hover", mark);
  page.on("choose", (unit) => {
    mark();
    if (unit !== null) enter(unit);
  });
  page.on("show", (shown, some) => {
    svg.classList.toggle("some", some);
    for (const [unit, a] of shapes) a.classList.toggle("off", !shown[unit]);
    label();
    if (!shown[entry]) {
      const first = [...shapes.keys()].find((unit) => shown[unit]);
      if (first !== undefined) enter(first);
    }
  });

  // A bar as long as its text says, at any zoom: the longest of 1, 2, 5 times a power of ten metres that fits.
  const bar = svg.querySelector(".scale");
  const words = (length) => (length >= 1000 ? `${length / 1000} km` : `${Number(length.toPrecision(1))} m`);
  const measure = (k) => {
    const room = (500 * page.data.metres) / k;
    const power = 10 ** Math.floor(Math.log10(room));
    const length = [5, 2, 1].find((step) => step * power <= room * (1 + 1e-12)) * power;
    const drawn = (length * k) / page.data.metres;
    bar.querySelector("path").setAttribute("d", `M0 -20V0H${drawn.toFixed(1)}V-20`);
    bar.querySelector("text").setAttribute("x", (drawn / 2).toFixed(1));
    bar.querySelector("text").textContent = words(length);
  };

  // Names where they have room, the largest emitters first; the text keeps its size when the map is zoomed.
  const names = document.getElementById("names");
  const wanted = document.getElementById("show-names");
  const nameOf = (unit) => {
    const { html } = page.held(unit, 0);
    const english = page.other === "zh" && /<span class="en">(.*?)<\/span>/s.exec(html);
    return english ? page.plain(english[1]).trim() : page.said(html, "en");
  };
  const label = () => {
    names.replaceChildren();
    if (!wanted.checked) return;
    const { x: dx, y: dy, k } = d3.zoomTransform(svg);
    const scale = svg.getScreenCTM().a;
    names.setAttribute("font-size", 12 / scale);
    // Measured before any is written: a page with text that was just added is laid out anew for each question.
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = `12px ${getComputedStyle(names).fontFamily}`;
    const taken = [];
    const order = [...shapes.keys()].filter((unit) => places[unit] && page.shown[unit]).sort((a, b) => page.number(b, "emission_t") - page.number(a, "emission_t"));
    for (const unit of order) {
      const [left, top] = [places[unit][0] * k + dx, places[unit][1] * k + dy];
      if (left < x || left > x + width || top < y || top > y + height) continue;
      const name = nameOf(unit);
      const { width: wide, fontBoundingBoxAscent: above, fontBoundingBoxDescent: below } = pen.measureText(name);
      const box = { x: left - wide / scale / 2, y: top - above / scale, width: wide / scale, height: (above + below) / scale };
      const apart = (other) => box.x > other.x + other.width || other.x > box.x + box.width || box.y > other.y + other.height || other.y > box.y + box.height;
      if (!taken.every(apart)) continue;
      taken.push(box);
      const text = document.createElementNS(svg.namespaceURI, "text");
      text.textContent = name;
      text.setAttribute("x", left.toFixed(0));
      text.setAttribute("y", top.toFixed(0));
      names.append(text);
      if (taken.length > 150) break;
    }
  };
  page.label = label;
  wanted.addEventListener("change", () => { label(); page.tell("change"); });
  const over = ["water", "roads"];
  page.showOver = () => {
    for (const what of over) document.getElementById(what)?.toggleAttribute("hidden", !document.getElementById(`show-${what}`).checked);
  };
  for (const what of over) document.getElementById(`show-${what}`)?.addEventListener("change", () => { page.showOver(); page.tell("change"); });

  // The wheel scrolls the page unless Ctrl is held; one finger scrolls, two zoom; dragging moves a map that is zoomed in.
  const zoom = d3.zoom().scaleExtent([1, 24]).extent([[x, y], [x + width, y + height]]).translateExtent([[x, y], [x + width, y + height]])
    .filter((event) => event.type === "wheel" ? event.ctrlKey : event.type === "touchstart" ? event.touches.length > 1 : !event.button && d3.zoomTransform(svg).k > 1)
    .on("zoom", ({ transform }) => {
      ground.setAttribute("transform", transform.toString());
      measure(transform.k);
      label();
    })
    .on("end", () => page.tell("change"));
  const frame = d3.select(svg).call(zoom).on("dblclick.zoom", null);
  svg.addEventListener("mousedown", () => page.point(null));
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => {
      if (button.dataset.zoom === "whole") frame.call(zoom.transform, d3.zoomIdentity);
      else frame.call(zoom.scaleBy, button.dataset.zoom === "in" ? 1.8 : 1 / 1.8);
    });
  }
  page.view = {
    read: () => { const { x: left, y: top, k } = d3.zoomTransform(svg); return k > 1 ? [k.toFixed(3), left.toFixed(0), top.toFixed(0)].join("_") : ""; },
    set: (text) => {
      const [k, left, top] = text.split("_").map(Number);
      if (k > 1 && k <= 24 && Number.isFinite(left) && Number.isFinite(top)) frame.call(zoom.transform, d3.zoomIdentity.translate(left, top).scale(k));
    },
  };
  page.zoomTo = (unit) => {
    if (!places[unit]) return;
    const box = document.getElementById(`shape-${unit + 1}`).getBBox();
    const scale = Math.max(1, Math.min(8, 0.25 * Math.min(width / box.width, height / box.height)));
    frame.call(zoom.transform, d3.zoomIdentity);
    if (scale > 1) {
      frame.call(zoom.scaleTo, scale);
      frame.call(zoom.translateTo, box.x + box.width / 2, box.y + box.height / 2);
    }
  };
}
