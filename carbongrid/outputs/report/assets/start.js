// All parts are there: the page begins.
"use strict";
{
  document.querySelector(".language").addEventListener("change", (event) => page.language(event.target.value));
  page.language((navigator.language ?? "").toLowerCase().startsWith("zh") ? "zh" : "en");
  page.filter();
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") page.point(null);
  });
  addEventListener("scroll", () => { page.tip.hidden = true; }, { passive: true });
  addEventListener("beforeprint", () => { page.tip.hidden = true; });
  // What scrolls aside on a narrow screen can be scrolled by keyboard too.
  const reach = () => {
    for (const box of document.querySelectorAll(".scroll:not(.tall)")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  addEventListener("resize", reach);
  addEventListener("toggle", reach, true);
  page.on("choose", reach);
  reach();
  const unit = /^#unit-(\d+)$/.exec(location.hash);
  if (unit && page.rows[unit[1] - 1]) page.choose(unit[1] - 1, "link");
  document.documentElement.dataset.ready = "";
}
