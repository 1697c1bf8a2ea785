// The grid: rows that fit to the pixel, more hits as one scrolls, and the place kept on the way back.
"use strict";

const found = document.querySelector(".found");
const grids = () => document.querySelectorAll(".grid");

// Rows: pictures keep their shape, and every full row is as wide as the grid.
function lay(grid) {
  const style = getComputedStyle(grid);
  const wide = grid.clientWidth;
  const tall = parseFloat(style.getPropertyValue("--row"));
  const gap = parseFloat(style.getPropertyValue("--gap"));
  if (!wide || !tall) return;
  let row = [];
  let shapes = 0;
  const set = (height) => {
    let left = wide - gap * (row.length - 1);
    for (const [i, [cell, shape]] of row.entries()) {
      const width = i === row.length - 1 && height.full ? left : Math.round(shape * height.of);
      left -= width;
      cell.style.width = `${width}px`;
      cell.style.height = `${Math.round(height.of)}px`;
      cell.style.containIntrinsicSize = `${width}px ${Math.round(height.of)}px`;
    }
    row = [];
    shapes = 0;
  };
  for (const cell of grid.children) {
    const picture = cell.querySelector("img");
    const shape = (cell.dataset.shape ||= picture ? picture.getAttribute("width") / picture.getAttribute("height") : 1) * 1;
    row.push([cell, shape]);
    shapes += shape;
    const height = (wide - gap * (row.length - 1)) / shapes;
    if (height <= tall * 1.12) set({ of: height, full: true });
  }
  if (row.length) set({ of: Math.min(tall, (wide - gap * (row.length - 1)) / shapes), full: false });
  grid.classList.add("laid");
}

const layAll = () => grids().forEach(lay);
layAll();
let width = 0;
new ResizeObserver(([entry]) => {
  const now = Math.round(entry.contentRect.width);
  if (now !== width) {
    width = now;
    layAll();
  }
}).observe(found ?? document.body);

// A picture that could not be made is said to be missing, not shown broken.
document.addEventListener("error", (event) => {
  const cell = event.target.matches?.(".grid img") && event.target.closest("li");
  if (!cell) return;
  const blank = document.createElement("span");
  blank.className = "blank";
  blank.textContent = cell.querySelector("strong")?.textContent ?? "";
  event.target.replaceWith(blank);
}, true);

// More hits below those that are there.
const hits = document.querySelector(".hits");
if (hits) {
  const cursors = [];
  let busy = false;

  const fetchPart = async (address) => {
    const url = new URL(address, location.href);
    url.searchParams.set("part", "hits");
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(String(answer.status));
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  const append = (part) => {
    const grid = hits.querySelector(".grid");
    grid.append(...part.querySelectorAll(".grid > li"));
    hits.querySelector(".more")?.remove();
    const more = part.querySelector(".more");
    if (more) hits.append(more);
    lay(grid);
  };

  const more = async () => {
    const link = hits.querySelector(".more a");
    if (!link || busy) return;
    busy = true;
    try {
      const address = link.getAttribute("href");
      append(await fetchPart(address));
      cursors.push(address);
      keep();
    } catch {
      link.textContent = "More pictures (the server did not answer; try again)";
      watching.disconnect();
      return;
    } finally {
      busy = false;
    }
    watch();
  };

  const watching = new IntersectionObserver(
    (entries) => entries.some((entry) => entry.isIntersecting) && more(),
    { rootMargin: "1200px" },
  );
  const watch = () => {
    watching.disconnect();
    const link = hits.querySelector(".more a");
    if (!link) return;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      more();
    });
    watching.observe(link);
  };

  // The place: what was loaded and how far it was scrolled stays with the history's entry.
  const keep = () => history.replaceState({ cursors, top: scrollY, left: history.state?.left }, "");
  let waiting = 0;
  addEventListener("scroll", () => {
    clearTimeout(waiting);
    waiting = setTimeout(keep, 150);
  }, { passive: true });
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".grid a");
    if (!link) return;
    history.replaceState({ cursors, top: scrollY, left: link.dataset.asset }, "");
    const ids = [...hits.querySelectorAll("a[data-asset]")].map((one) => one.dataset.asset);
    try {
      sessionStorage.setItem("walk", JSON.stringify({ from: location.href, ids }));
    } catch {
      // Without storage there is no walking from picture to picture.
    }
  });

  // The hit that was followed. Not before it is drawn: what is out of sight cannot be focused.
  const focusLeft = () => requestAnimationFrame(() => requestAnimationFrame(() => {
    const left = CSS.escape(history.state?.left ?? "");
    hits.querySelector(`a[data-asset="${left}"]`)?.focus({ preventScroll: true });
  }));
  // A page that the browser kept whole has only lost the focus.
  addEventListener("pageshow", (event) => event.persisted && focusLeft());

  const restore = async () => {
    const kept = history.state;
    if (!kept?.cursors) return watch();
    history.scrollRestoration = "manual";
    busy = true;
    try {
      const parts = await Promise.all(kept.cursors.map(fetchPart));
      parts.forEach(append);
      cursors.push(...kept.cursors);
    } catch {
      // What could be loaded is there; more follows by scrolling.
    }
    busy = false;
    scrollTo(0, kept.top ?? 0);
    focusLeft();
    history.scrollRestoration = "auto";
    watch();
  };
  restore();
}

// On a narrow screen pictures come first.
const narrow = document.querySelector("aside.facets > details");
if (narrow && matchMedia("(max-width: 900px)").matches) narrow.open = false;
