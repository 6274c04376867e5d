"use strict";
// Brings the main part of a page up to date every few seconds, while the page is looked at and nobody writes in it.
const main = document.getElementById("main");
const every = Number(main.dataset.live) * 1000;
const STOPPED = "live-updates-stopped";

if (every > 0) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "live";
  const say = () => {
    button.textContent = stopped() ? "Updates stopped" : "Updates itself";
    button.setAttribute("aria-pressed", String(!stopped()));
    button.title = stopped() ? "Start updating this page" : "Stop updating this page";
  };
  button.addEventListener("click", () => {
    sessionStorage.setItem(STOPPED, stopped() ? "" : "yes");
    say();
  });
  say();
  document.querySelector("header").append(button);
  setInterval(update, every);
}

function stopped() {
  return sessionStorage.getItem(STOPPED) === "yes";
}

function isBusy() {
  const focused = document.activeElement;
  return document.hidden || stopped() || !getSelection().isCollapsed ||
    (main.contains(focused) && focused.matches("input, select, textarea, button"));
}

async function update() {
  if (isBusy()) return;
  let text;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(every) });
    if (!answer.ok) return;
    text = await answer.text();
  } catch {
    return; // the service is away for a moment; the next round asks again
  }
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("main");
  if (!fresh || isBusy()) return;
  for (const open of main.querySelectorAll("details[open][id]")) {
    fresh.querySelector("#" + CSS.escape(open.id))?.setAttribute("open", "");
  }
  if (fresh.innerHTML === main.innerHTML) return;
  const focused = main.contains(document.activeElement) ? [...main.querySelectorAll("a, summary")].indexOf(document.activeElement) : -1;
  main.replaceChildren(...fresh.childNodes);
  if (focused >= 0) main.querySelectorAll("a, summary")[focused]?.focus({ preventScroll: true });
}
