// An asset: rulings without a new page, and the way from picture to picture of the hits it came from.
"use strict";

// The form is sent as it would be; of the page that answers only the labels are taken.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const labels = form.closest("#labels");
  if (!labels || form.method !== "post") return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  const focused = event.submitter?.getAttribute("aria-label");
  labels.setAttribute("aria-busy", "true");
  let page = null;
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    // Nobody answered; it is said below.
  }
  labels.removeAttribute("aria-busy");
  const now = page?.getElementById("labels");
  if (!now) {
    const wrong = document.createElement("p");
    wrong.className = "wrong";
    wrong.setAttribute("role", "alert");
    const told = [page?.querySelector("main h1"), page?.querySelector("main h1 + p")];
    wrong.textContent = told.map((part) => part?.textContent).filter(Boolean).join(": ") || "The server did not answer; nothing was written down.";
    labels.querySelector(":scope > .wrong")?.remove();
    labels.append(wrong);
    return;
  }
  // What was unfolded stays so.
  if (labels.querySelector(".held")?.open) now.querySelector(".held")?.setAttribute("open", "");
  labels.replaceWith(now);
  const boxes = page.querySelector(".boxes");
  if (boxes) document.querySelector(".boxes")?.replaceWith(boxes);
  const again = [...now.querySelectorAll("button[aria-label]")].find((one) => one.getAttribute("aria-label") === focused);
  (again ?? now.querySelector("#add-label"))?.focus();
});

// Walking: the hits that were looked through, kept by the search page.
const steps = document.querySelector(".steps");
let walk = null;
try {
  walk = JSON.parse(sessionStorage.getItem("walk"));
} catch {
  // Nothing was kept.
}
const here = walk?.ids?.indexOf(steps?.dataset.asset) ?? -1;
if (steps && here >= 0) {
  const link = (at, text, name, key) => {
    const to = walk.ids[at];
    if (!to) return null;
    const made = document.createElement("a");
    made.href = `/assets/${encodeURIComponent(to)}`;
    made.textContent = text;
    made.setAttribute("aria-label", name);
    made.setAttribute("aria-keyshortcuts", key);
    made.title = `${name} (${key})`;
    made.dataset.key = key;
    return made;
  };
  const back = document.createElement("a");
  back.href = walk.from;
  back.textContent = "Hits";
  back.addEventListener("click", (event) => {
    // The way back keeps the place; a new page would not.
    if (history.length > 1 && document.referrer === walk.from) {
      event.preventDefault();
      history.back();
    }
  });
  const where = document.createElement("span");
  where.textContent = `${here + 1} of ${walk.ids.length}`;
  const links = [back, link(here - 1, "‹", "The hit before", "k"), where, link(here + 1, "›", "The next hit", "j")];
  steps.append(...links.filter(Boolean));
  steps.hidden = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
    steps.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
  });
}

// The original and its restoration, side by side on the page as it comes: laid over each other, with a
// slider between them that arrow keys move too.
for (const pair of document.querySelectorAll(".restoration .pair")) {
  const restored = pair.querySelector("figure + figure");
  if (!restored) continue;
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: 0, max: 100, value: 50 });
  slider.setAttribute("aria-label", "From the original, left, to the restored picture, right");
  const cut = () => {
    restored.style.setProperty("--cut", `${slider.value}%`);
    slider.setAttribute("aria-valuetext", `${slider.value} % original`);
  };
  slider.addEventListener("input", cut);
  cut();
  pair.append(slider);
  pair.classList.add("over");
}
