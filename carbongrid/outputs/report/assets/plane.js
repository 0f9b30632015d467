// The plane of ECC and ESC: pointing, and a brush that fills the fields of the filter.
"use strict";
{
  const svg = document.getElementById("quadrants");
  if (svg) {
    const form = document.getElementById("filters");
    const points = new Map([...svg.querySelectorAll("circle[data-row]")].map((dot) => [Number(dot.dataset.row), dot]));
    const unitOf = (target) => (target.dataset.row === undefined ? null : Number(target.dataset.row));
    svg.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "touch") page.point(unitOf(event.target), { x: event.clientX, y: event.clientY });
    });
    svg.addEventListener("pointerleave", () => page.point(null));
    svg.addEventListener("click", (event) => {
      if (unitOf(event.target) !== null) page.choose(unitOf(event.target), "plane");
    });
    page.on("hover", (unit, before) => {
      points.get(before)?.classList.remove("pointed");
      points.get(unit)?.classList.add("pointed");
    });
    page.on("choose", (unit, before) => {
      points.get(before)?.classList.remove("chosen");
      points.get(unit)?.classList.add("chosen");
    });
    page.on("show", (shown) => {
      for (const [unit, dot] of points) dot.classList.toggle("off", !shown[unit]);
    });

    const { side, x, y } = page.data.plane;
    const value = ([low, high], place) => Math.exp(Math.log(low) + (place / side) * (Math.log(high) - Math.log(low)));
    const bound = (number) => String(Number(number.toPrecision(3)));
    const fields = (key, axis, low, high) => {
      form.elements[`${key}-from`].value = low > 0 ? bound(value(axis, low)) : "";
      form.elements[`${key}-to`].value = high < side ? bound(value(axis, high)) : "";
    };
    const touch = document.getElementById("touch-brush");
    const layer = d3.select("#brush");
    let silent = false;
    const brush = d3.brush().extent([[0, 0], [side, side]]).touchable(() => touch.checked)
      .on("brush end", ({ selection, sourceEvent }) => {
        if (silent || !sourceEvent) return;
        const [[left, top], [right, bottom]] = selection ?? [[0, 0], [side, side]];
        fields("ecc", x, left, right);
        fields("esc", y, side - bottom, side - top);
        page.filter();
      });
    layer.selectAll("*").remove(); // what a browser saved with the page
    layer.call(brush);
    touch.addEventListener("change", () => layer.call(brush));
    const clear = () => { silent = true; layer.call(brush.clear); silent = false; };
    form.addEventListener("cleared", clear);
    form.addEventListener("input", (event) => { if (event.target.type === "number") clear(); });
  }
}
