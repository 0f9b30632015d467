// The page begins in the browser's language. The switch itself needs no script.
"use strict";
{
  const chinese = document.getElementById("language-zh");
  const say = () => { document.documentElement.lang = chinese.checked ? "zh-CN" : "en"; };
  chinese.checked = (navigator.language ?? "").toLowerCase().startsWith("zh");
  document.querySelector(".language").addEventListener("change", say);
  say();
}
