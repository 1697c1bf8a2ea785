// What every page has: the switch of themes, suggestions, copying, forms that need no new page.
"use strict";

const themes = document.querySelector(".theme");
themes.hidden = false;
themes.addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("theme", root.dataset.theme);
  } catch {
    // It holds for this page, then.
  }
});

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

// "/" leads to the search box from anywhere.
const box = document.getElementById("q");
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && box) {
    event.preventDefault();
    box.focus();
    box.select();
  }
});

// Suggestions: a combobox after the ARIA Authoring Practices, list with manual selection.
if (box) {
  const list = document.getElementById("suggestions");
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", "suggestions");
  box.setAttribute("aria-expanded", "false");
  let waiting = 0;
  let asked = null;
  let at = -1;

  const close = () => {
    list.hidden = true;
    at = -1;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  };

  const select = (to) => {
    const options = [...list.children];
    at = (to + options.length + 1) % (options.length + 1);
    if (to < 0 && at === options.length) at = options.length - 1;
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
    if (at < options.length) box.setAttribute("aria-activedescendant", options[at].id);
    else box.removeAttribute("aria-activedescendant");
  };

  const take = (option) => {
    box.value = option.dataset.text;
    close();
    box.form.requestSubmit();
  };

  const show = (suggestions) => {
    list.replaceChildren(
      ...suggestions.map((one, i) => {
        const option = document.createElement("li");
        option.id = `suggestion-${i}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.dataset.text = one.text;
        for (const [part, text] of [["text", one.text], ["of", one.of], ["count", String(one.count)]]) {
          const span = document.createElement("span");
          span.className = part;
          span.textContent = text;
          option.append(span, " ");
        }
        return option;
      }),
    );
    at = suggestions.length;
    list.hidden = suggestions.length === 0;
    box.setAttribute("aria-expanded", String(!list.hidden));
  };

  const ask = async () => {
    asked?.abort();
    const typed = box.value.trim();
    if (!typed) return close();
    asked = new AbortController();
    try {
      const answer = await fetch(`/v1/suggest?q=${encodeURIComponent(box.value)}&limit=8`, { signal: asked.signal });
      if (!answer.ok) return close();
      const { suggestions } = await answer.json();
      if (document.activeElement === box) show(suggestions ?? []);
    } catch {
      // Another letter was typed meanwhile, or nobody answers: nothing is suggested.
    }
  };

  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, 70);
  });
  box.addEventListener("keydown", (event) => {
    const open = !list.hidden;
    if (event.key === "ArrowDown" && open) select(at >= list.children.length ? 0 : at + 1);
    else if (event.key === "ArrowUp" && open) select(at - 1);
    else if (event.key === "Escape" && open) close();
    else if (event.key === "Enter" && open && list.children[at]) take(list.children[at]);
    else return;
    event.preventDefault();
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
  box.addEventListener("blur", close);
}
