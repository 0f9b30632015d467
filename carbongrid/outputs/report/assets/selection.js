// What is selected, in numbers, beside the plane.
"use strict";
{
  const [picked, reset] = ["picked", "reset"].map((name) => document.getElementById(name));
  const sum = (units, key) => units.reduce((all, unit) => all + page.grams(unit, key), 0n);
  const money = (unit) => (page.has("gdp") ? page.number(unit, "gdp") : NaN);
  const all = page.units;
  const earned = (units) => units.map(money).filter((value) => value === value).reduce((whole, value) => whole + value, 0);
  const whole = { emission_t: sum(all, "emission_t"), sink_t: sum(all, "sink_t"), gdp: earned(all) };

  page.on("show", (shown, some) => {
    const units = all.filter((unit) => shown[unit]);
    const part = (own, of) => page.percent(Number(own) / Number(of));
    const [emission, sink] = ["emission_t", "sink_t"].map((key) => sum(units, key));
    const masses = [["emissions", "排放", emission, whole.emission_t], ["sinks", "碳汇", sink, whole.sink_t]];
    picked.replaceChildren(page.both(`${page.count(units.length)} of ${page.count(all.length)} units`, `${page.count(all.length)} 个单元中的 ${page.count(units.length)} 个`));
    for (const [english, chinese, own, of] of masses) {
      picked.append(page.both(`, ${english} `, `，${chinese} `), page.mass(own));
      if (some) picked.append(page.both(` (${part(own, of)})`, `（${part(own, of)}）`));
    }
    if (some && whole.gdp > 0) {
      const share = part(earned(units), whole.gdp);
      picked.append(page.both(`, GDP ${share} of what is known`, `，占已知地区生产总值 ${share}`));
    }
    reset.hidden = !some;
  });
}
