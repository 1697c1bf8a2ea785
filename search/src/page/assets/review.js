// The review by keys: a approves, r rejects, n goes on, u goes back to the last answer.
"use strict";

const act = {
  a: () => document.querySelector(".answers .yes")?.click(),
  r: () => document.querySelector(".answers .no")?.click(),
  n: () => document.querySelector(".answers .next")?.click(),
  u: () => document.querySelector(".back")?.click(),
};

let done = false;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || done) return;
  if (event.target.matches("input, textarea, select") || !act[event.key]) return;
  event.preventDefault();
  // One answer a question, however fast the keys come.
  done = true;
  act[event.key]();
});
addEventListener("pageshow", () => (done = false));
