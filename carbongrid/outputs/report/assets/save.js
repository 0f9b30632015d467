// What is seen, as a file: the map as SVG or PNG, the rows of the table as CSV. Nothing leaves the page.
"use strict";
{
  const svg = document.getElementById("land");
  const title = document.querySelector("h1").textContent;
  const hand = (blob, ending) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "carbongrid"}-${page.layered}.${ending}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  // Cells that a spreadsheet would run are quoted, as in units.csv.
  const cell = (text) => {
    const tame = /^'*[=+\-@\t\r\n＝＋－＠]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(tame) ? `"${tame.replaceAll('"', '""')}"` : tame;
  };
  const shownText = (node) => [...node.childNodes].map((part) => {
    if (part.nodeType === Node.TEXT_NODE) return part.textContent;
    return part.nodeName === "svg" || getComputedStyle(part).display === "none" ? "" : shownText(part);
  }).join("");
  const rows = () => {
    // On a phone remarks have no room in the table, and every reader of a file does.
    const heads = [...page.table.tHead.rows[0].cells].filter((head) => head.dataset.key === "remarks" || getComputedStyle(head).display !== "none");
    const lines = [heads.map((head) => head.dataset.column ?? head.dataset.key)];
    for (const unit of page.listed) {
      lines.push(heads.map((head) => {
        const { html, exact, code } = page.held(unit, head.cellIndex);
        return code ?? (head.dataset.key !== "zone" && exact !== undefined ? exact : page.said(html, page.other));
      }));
    }
    return `\ufeff${lines.map((line) => line.map(cell).join(",")).join("\n")}\n`;
  };

  const element = (name, attributes, text) => {
    const made = document.createElementNS(svg.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const styled = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-linejoin", "vector-effect", "opacity", "font-size", "text-anchor", "paint-order"];
  // The drawing with its style in attributes, so that other programs show it alike, the title above and the legend below.
  // Its ground is white, so its style is that of paper: on a dark page the bar of scale is light, with a dark halo.
  const drawing = () => {
    const copy = svg.cloneNode(true);
    const [originals, copies] = [svg, copy].map((root) => [...root.querySelectorAll("a, g, path, text, use")]);
    const fills = [...svg.querySelectorAll("a")].map((link) => link.getAttribute("fill").replace("transparent", "none"));
    svg.classList.add("paper");
    originals.forEach((original, at) => {
      const style = getComputedStyle(original);
      for (const name of styled) {
        const value = style.getPropertyValue(name).replaceAll('"', "");
        if (value) copies[at].setAttribute(name, value);
      }
      copies[at].removeAttribute("class");
      if (style.display === "none") copies[at].setAttribute("hidden", "");
    });
    svg.classList.remove("paper");
    for (const part of copy.querySelectorAll("[hidden], #marks")) part.remove();
    // A shape with a fill of its own takes no other where it is used again, for hatching.
    for (const use of copy.querySelectorAll("use")) {
      const shape = copy.querySelector(use.getAttribute("href")).cloneNode();
      shape.removeAttribute("id");
      for (const name of styled) shape.setAttribute(name, use.getAttribute(name));
      use.replaceWith(shape);
    }
    copy.querySelectorAll("a").forEach((link, at) => {
      const group = element("g", { opacity: link.getAttribute("opacity") });
      group.append(...link.childNodes);
      for (const path of group.querySelectorAll("path")) path.setAttribute("fill", fills[at]);
      link.replaceWith(group);
    });
    const [x, y, width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    const legend = document.querySelector(".legend[data-layer]:not([hidden])");
    const counted = (line, words) => `${words} (${line.querySelector("b").textContent})`;
    const lines = [...legend.querySelectorAll("li")].map((line) => [line.querySelector("rect").getAttribute("fill"), counted(line, shownText(line.querySelector("span")))]);
    // What hatching means, where there is any: its name, and below it why.
    const flags = [...document.querySelectorAll(".flags li")].filter((line) => line.getClientRects().length);
    for (const line of flags) {
      const [name, why] = line.querySelectorAll("span.flag, small");
      lines.push([line.dataset.hatch, counted(line, shownText(name).trim())]);
      lines.push(...shownText(why).split(";").map((part) => [null, part.trim()]));
    }
    const [top, step] = [150, 66];
    const frame = [x, y - top, width, height + top + 90 + step * lines.length];
    for (const name of ["class", "role", "aria-label", "data-label-en", "data-label-zh"]) copy.removeAttribute(name);
    copy.setAttribute("viewBox", frame.join(" "));
    copy.setAttribute("width", frame[2]);
    copy.setAttribute("height", frame[3]);
    copy.setAttribute("font-family", getComputedStyle(document.body).fontFamily);
    copy.prepend(element("rect", { x: frame[0], y: frame[1], width: frame[2], height: frame[3], fill: "#fff" }));
    const cover = (from, to) => element("rect", { x: frame[0], y: from, width: frame[2], height: to - from, fill: "#fff" });
    copy.append(cover(frame[1], y), cover(y + height, frame[1] + frame[3]));
    const words = (left, up, size, text) => copy.append(element("text", { x: left, y: up, "font-size": size, fill: "#1d2430" }, text));
    const year = String(page.data.year);
    words(x + 20, y - 70, 60, title.includes(year) ? title : `${title}, ${year}`);
    words(x + 20, y - 15, 42, shownText(legend.querySelector("h3")).trim());
    lines.forEach(([fill, text], at) => {
      const up = y + height + 60 + step * at;
      if (fill) copy.append(element("rect", { x: x + 20, y: up - 36, width: 44, height: 44, fill, stroke: "#8a919c", "stroke-width": 2 }));
      words(x + 84, up, fill ? 42 : 34, text);
    });
    return new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
  };
  const picture = async (blob) => {
    const address = URL.createObjectURL(blob);
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d").drawImage(image, 0, 0);
    URL.revokeObjectURL(address);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  };

  const savers = {
    csv: () => hand(new Blob([rows()], { type: "text/csv" }), "csv"),
    svg: () => hand(drawing(), "svg"),
    png: async () => hand(await picture(drawing()), "png"),
  };
  for (const button of document.querySelectorAll("[data-save]")) button.addEventListener("click", savers[button.dataset.save]);
}
