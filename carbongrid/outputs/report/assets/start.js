// All parts are there: the page begins.
"use strict";
{
  // A language is in the address once it was wished for.
  page.wish = (code) => { page.wished = code; page.language(code); };
  document.querySelector(".language").addEventListener("change", (event) => { page.wish(event.target.value); page.remember(); });
  page.language((navigator.language ?? "").toLowerCase().startsWith("zh") ? "zh" : "en");
  page.filter();
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    page.point(null);
    if (page.chosen !== null) page.close();
    else if (page.filtered) page.showAll();
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
  page.recall();
  // A row that was not made cannot be scrolled to by its name alone.
  const follow = () => {
    const unit = /^#unit-(\d+)$/.exec(location.hash);
    if (unit && unit[1] - 1 in page.rows) page.choose(unit[1] - 1, "link");
  };
  follow();
  addEventListener("hashchange", follow);
  document.documentElement.dataset.ready = "";
}
