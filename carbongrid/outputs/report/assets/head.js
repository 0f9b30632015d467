// Before the page is laid out: what needs scripts is shown from the start.
"use strict";
document.documentElement.classList.replace("plain", "scripted");
