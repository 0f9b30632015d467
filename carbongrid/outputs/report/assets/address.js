// The state of the page in its address, so that a link or a bookmark shows the same again.
"use strict";
{
  const form = document.getElementById("filters");
  const fields = ["text", "ecc-from", "ecc-to", "esc-from", "esc-to"];
  const boxes = { names: "show-names", water: "show-water", roads: "show-roads", more: "more-columns" };
  const zones = () => [...form.querySelectorAll("[name=zone]")];
  const codeOf = (unit) => page.plain(page.held(unit, page.columns.get("id")).html);
  let reading = true; // nothing is written before what the address holds is read

  const write = () => {
    if (reading) return;
    const state = new URLSearchParams();
    const put = (key, value) => { if (value) state.set(key, value); };
    put("lang", page.wished);
    if (page.layered !== page.firstLayer) put("layer", page.layered);
    put("view", page.view.read());
    for (const name of fields) put(name, form.elements[name].value);
    if (zones().some((box) => !box.checked)) state.set("zones", zones().filter((box) => box.checked).map((box) => box.value).join("_"));
    if (form.elements.unsure.checked) state.set("unsure", "1");
    for (const [key, name] of Object.entries(boxes)) if (document.getElementById(name)?.checked) state.set(key, "1");
    const head = page.table.tHead.querySelector("[aria-sort]");
    if (head) state.set("sort", `${head.cellIndex}_${head.getAttribute("aria-sort")}`);
    if (page.chosen !== null) state.set("unit", codeOf(page.chosen));
    const text = String(state);
    if (text) history.replaceState(null, "", `#?${text}`);
    else if (location.hash.startsWith("#?")) history.replaceState(null, "", location.href.split("#")[0]);
  };

  const read = () => {
    if (location.hash.startsWith("#?")) restore();
    reading = false;
  };
  const restore = () => {
    const state = new URLSearchParams(location.hash.slice(2));
    reading = true;
    for (const name of fields) form.elements[name].value = state.get(name) ?? "";
    if (state.has("zones")) for (const box of zones()) box.checked = state.get("zones").split("_").includes(box.value);
    form.elements.unsure.checked = state.has("unsure");
    for (const [key, name] of Object.entries(boxes)) {
      const box = document.getElementById(name);
      if (box) box.checked = state.has(key);
    }
    page.table.classList.toggle("whole", state.has("more"));
    page.showOver();
    if (["en", "zh"].includes(state.get("lang"))) page.wish(state.get("lang"));
    if (document.getElementById(`layer-${state.get("layer")}`)) page.layer(state.get("layer"));
    if (state.has("view")) page.view.set(state.get("view"));
    const [column, order] = (state.get("sort") ?? "").split("_");
    const head = page.table.tHead.rows[0].cells[column];
    if (column !== "" && head && ["ascending", "descending"].includes(order)) page.sortBy(head, order);
    page.filter();
    const unit = state.has("unit") ? page.units.findIndex((at) => codeOf(at) === state.get("unit")) : -1;
    page.choose(unit < 0 ? null : unit, unit < 0 ? undefined : "link");
  };

  page.on("change", write);
  [page.remember, page.recall] = [write, read];
  addEventListener("hashchange", read);
}
