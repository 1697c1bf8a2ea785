// The plate: a picture that can be looked into, over IIIF tiles. Drag, wheel, pinch and keys move it.
"use strict";

const stage = document.querySelector(".stage[data-info]");
const plate = stage?.querySelector(".plate");

// How far one step of a key or a button goes.
const STEP = 1.5;
// How many tiles are kept; the farthest from use go first.
const KEPT = 160;
// How deep one may look: so many screen pixels for one of the picture's.
const DEEPEST = 8;

async function begin() {
  const picture = plate.querySelector("img");
  let info = null;
  try {
    const answer = await fetch(stage.dataset.info);
    if (answer.ok) info = await answer.json();
  } catch {
    // Without tiles the picture that is there can still be moved and made larger.
  }
  const full = info ? [info.width, info.height] : stage.dataset.size.split(" ").map(Number);
  if (!full[0] || !full[1]) return;

  const tiles = document.createElement("div");
  tiles.className = "tiles";
  picture.after(tiles);
  const tools = document.createElement("div");
  tools.className = "tools";
  const button = (text, name, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", name);
    made.title = name;
    made.addEventListener("click", act);
    tools.append(made);
    return made;
  };
  stage.append(tools);
  stage.tabIndex = 0;
  stage.setAttribute("role", "group");
  stage.setAttribute("aria-label", "Picture: plus and minus zoom, arrows move, 0 fits it in");
  stage.classList.add("live");

  // The view: the picture's left top corner on the stage, and screen pixels for one of its own.
  let view = { x: 0, y: 0, scale: 1 };
  let size = [1, 1];
  const fitted = () => Math.min(size[0] / full[0], size[1] / full[1]);
  const smallest = () => fitted();
  const deepest = () => Math.max(DEEPEST, 2 * fitted());

  const held = (low, at, length, room) => (length <= room ? (room - length) / 2 : Math.min(low, Math.max(room - length, at)));

  const to = (next) => {
    const scale = Math.min(deepest(), Math.max(smallest(), next.scale));
    view = {
      scale,
      x: held(0, next.x, full[0] * scale, size[0]),
      y: held(0, next.y, full[1] * scale, size[1]),
    };
    paint();
  };

  const zoom = (by, x = size[0] / 2, y = size[1] / 2) => {
    const scale = Math.min(deepest(), Math.max(smallest(), view.scale * by));
    const ratio = scale / view.scale;
    to({ scale, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio });
  };

  const fit = () => to({ scale: fitted(), x: 0, y: 0 });

  button("+", "Zoom in", () => zoom(STEP));
  button("−", "Zoom out", () => zoom(1 / STEP));
  button("1:1", "1:1, one to one", () => zoom(1 / devicePixelRatio / view.scale));
  button("Fit", "Fit the whole picture", fit);
  if (document.fullscreenEnabled) {
    button("Full", "Full screen", () => (document.fullscreenElement ? document.exitFullscreen() : stage.requestFullscreen()));
  }
  const told = document.createElement("output");
  tools.append(told);

  let painting = 0;
  const paint = () => {
    cancelAnimationFrame(painting);
    painting = requestAnimationFrame(() => {
      plate.style.left = `${view.x}px`;
      plate.style.top = `${view.y}px`;
      plate.style.width = `${full[0] * view.scale}px`;
      plate.style.height = `${full[1] * view.scale}px`;
      told.textContent = `${Math.round(view.scale * devicePixelRatio * 100)} %`;
      stage.classList.toggle("deep", view.scale > fitted() * 1.01);
      if (info) cover();
    });
  };

  // Tiles of the level that is just sharp enough, for what is in sight.
  const spec = info?.tiles?.[0];
  const known = new Map();
  const sources = (picture.srcset || `${picture.src} ${picture.width}w`).split(", ").map((one) => one.split(" "));
  // The width of the file that the browser chose; `naturalWidth` would tell that of its place.
  const shownWidth = () => parseInt(sources.find(([address]) => picture.currentSrc.endsWith(address))?.[1] ?? "0", 10);
  const base = stage.dataset.info.replace(/\/info\.json$/, "");
  const cover = () => {
    const sharp = shownWidth() / full[0];
    const wanted = view.scale * devicePixelRatio;
    if (!spec || wanted <= sharp * 1.05) {
      for (const tile of known.values()) tile.remove();
      known.clear();
      return;
    }
    const factors = [...spec.scaleFactors].sort((a, b) => b - a);
    const factor = factors.find((one) => 1 / one >= wanted) ?? factors.at(-1);
    const step = [spec.width * factor, (spec.height ?? spec.width) * factor];
    const from = [0, 1].map((i) => Math.max(0, Math.floor(-[view.x, view.y][i] / view.scale / step[i])));
    const until = [0, 1].map((i) => Math.min(Math.ceil(full[i] / step[i]), Math.ceil((size[i] - [view.x, view.y][i]) / view.scale / step[i])));
    for (let row = from[1]; row < until[1]; row++) {
      for (let column = from[0]; column < until[0]; column++) tile(factor, step, column, row);
    }
    for (const [key, one] of known) {
      if (known.size <= KEPT) break;
      if (one.dataset.factor !== String(factor)) {
        one.remove();
        known.delete(key);
      }
    }
  };

  const tile = (factor, step, column, row) => {
    const key = `${factor}/${column}/${row}`;
    const there = known.get(key);
    if (there) {
      known.delete(key);
      known.set(key, there);
      return;
    }
    const x = column * step[0];
    const y = row * step[1];
    const width = Math.min(step[0], full[0] - x);
    const height = Math.min(step[1], full[1] - y);
    const made = new Image();
    made.alt = "";
    made.draggable = false;
    made.decoding = "async";
    made.dataset.factor = factor;
    made.style.left = `${(x / full[0]) * 100}%`;
    made.style.top = `${(y / full[1]) * 100}%`;
    made.style.width = `${(width / full[0]) * 100}%`;
    made.style.height = `${(height / full[1]) * 100}%`;
    // Sharper ones lie above.
    made.style.zIndex = String(1000 - factor);
    made.addEventListener("error", () => made.remove());
    made.src = `${base}/${x},${y},${width},${height}/${Math.ceil(width / factor)},${Math.ceil(height / factor)}/0/default.jpg`;
    known.set(key, made);
    tiles.append(made);
  };

  // Pointers: one moves, two zoom.
  const pointers = new Map();
  const middle = () => {
    const all = [...pointers.values()];
    const sum = all.reduce((a, p) => [a[0] + p[0], a[1] + p[1]], [0, 0]);
    const apart = all.length > 1 ? Math.hypot(all[0][0] - all[1][0], all[0][1] - all[1][1]) : 0;
    return { x: sum[0] / all.length, y: sum[1] / all.length, apart };
  };
  const place = (event) => {
    const frame = stage.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.target.closest(".tools") || event.button > 0) return;
    pointers.set(event.pointerId, place(event));
    if (event.pointerType === "mouse") event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    stage.classList.add("moving");
    stage.focus({ preventScroll: true, focusVisible: false });
  });
  stage.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = middle();
    pointers.set(event.pointerId, place(event));
    const after = middle();
    const by = before.apart ? after.apart / before.apart : 1;
    const scale = Math.min(deepest(), Math.max(smallest(), view.scale * by));
    const ratio = scale / view.scale;
    to({ scale, x: after.x - (before.x - view.x) * ratio, y: after.y - (before.y - view.y) * ratio });
  });
  const lift = (event) => {
    pointers.delete(event.pointerId);
    if (!pointers.size) stage.classList.remove("moving");
  };
  stage.addEventListener("pointerup", lift);
  stage.addEventListener("pointercancel", lift);
  stage.addEventListener("dblclick", (event) => {
    if (!event.target.closest(".tools")) zoom(event.shiftKey ? 1 / 2.5 : 2.5, ...place(event));
  });
  const beside = matchMedia("(min-width: 1000px)");
  stage.addEventListener("wheel", (event) => {
    // Where the picture lies above the rest, the wheel first of all scrolls the page.
    if (!beside.matches && !event.ctrlKey && !stage.classList.contains("deep")) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 30 : 1;
    zoom(Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 100 : 400)), ...place(event));
  }, { passive: false });
  stage.addEventListener("keydown", (event) => {
    if (event.target !== stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (move && view.scale > fitted() * 1.01) {
      to({ ...view, x: view.x + (move[0] * size[0]) / 6, y: view.y + (move[1] * size[1]) / 6 });
    } else if (event.key === "+" || event.key === "=") zoom(STEP);
    else if (event.key === "-") zoom(1 / STEP);
    else if (event.key === "0") fit();
    else if (event.key === "1") zoom(1 / devicePixelRatio / view.scale);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  new ResizeObserver(() => {
    const whole = view.scale <= fitted() * 1.01 || size[0] === 1;
    size = [stage.clientWidth, stage.clientHeight];
    if (whole) fit();
    else to(view);
  }).observe(stage);
}

if (plate) begin();
