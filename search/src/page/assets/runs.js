// A run that goes on: its progress is asked for now and then, while somebody looks.
"use strict";

const EVERY_MS = 4000;

async function follow() {
  const progress = document.getElementById("progress");
  if (!progress || progress.dataset.running === undefined) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href);
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const now = page.getElementById("progress");
        if (now) progress.replaceWith(now);
      }
    } catch {
      // The server may be back the next time.
    }
  }
  setTimeout(follow, EVERY_MS);
}
setTimeout(follow, EVERY_MS);
