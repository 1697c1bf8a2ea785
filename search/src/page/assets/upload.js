// Uploads: many files, dropped or chosen, two at a time, each with its progress and what became of it.
"use strict";

const form = document.querySelector("form.drop");
const queue = document.querySelector(".queue");
const AT_ONCE = 2;

if (form) {
  form.elements.file.multiple = true;
  form.querySelector(".dropped").hidden = false;
  const waiting = [];
  let running = 0;

  const add = (files) => {
    if (!form.elements.collection.reportValidity()) return;
    const collection = form.elements.collection.value;
    for (const file of files) {
      const row = document.createElement("li");
      const [name, bar, told] = ["span", "progress", "span"].map((tag) => document.createElement(tag));
      name.textContent = file.name;
      bar.max = file.size || 1;
      bar.value = 0;
      bar.setAttribute("aria-label", `How much of ${file.name} was sent`);
      told.textContent = "waiting";
      row.append(name, bar, told);
      queue.append(row);
      waiting.push({ file, collection, name, bar, told });
    }
    next();
  };

  const next = () => {
    while (running < AT_ONCE && waiting.length) {
      running += 1;
      send(waiting.shift(), () => {
        running -= 1;
        next();
      });
    }
  };

  const send = ({ file, collection, name, bar, told }, done) => {
    // `fetch` tells nothing of how much was sent.
    const request = new XMLHttpRequest();
    const pairs = new URLSearchParams({ collection, filename: file.name });
    request.open("POST", `/v1/assets?${pairs}`);
    request.setRequestHeader("content-type", file.type.startsWith("image/") ? file.type : "application/octet-stream");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      bar.value = event.loaded;
      told.textContent = event.loaded < file.size ? "sending" : "looking at it";
    });
    const refused = (why) => {
      told.className = "refused";
      told.textContent = why;
      bar.remove();
    };
    request.addEventListener("load", () => {
      const answer = request.response;
      if (request.status < 300 && answer?.asset) {
        const link = document.createElement("a");
        link.href = `/assets/${encodeURIComponent(answer.asset)}`;
        link.textContent = file.name;
        name.replaceChildren(link);
        bar.value = bar.max;
        told.className = "taken";
        told.textContent = request.status === 201 ? "taken in" : "was here already";
        if (answer.note) told.textContent += `: ${answer.note}`;
      } else refused(answer?.detail ?? `refused (${request.status})`);
    });
    request.addEventListener("error", () => refused("the server did not answer"));
    request.addEventListener("loadend", done);
    request.send(file);
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    add(form.elements.file.files);
    form.elements.file.value = "";
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) form.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    add(event.dataTransfer.files);
  });
}
