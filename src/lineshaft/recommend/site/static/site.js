"use strict";
// Small comforts on top of a form that works without them. Nothing is stored in the browser.
document.documentElement.classList.add("with-js");

const search = () => document.getElementById("q");
const choices = () => Array.from(document.querySelectorAll("#suggestions button"));

// Arrow keys move between the search field and the titles found; Enter takes the first; Escape empties.
document.addEventListener("keydown", (event) => {
  const buttons = choices();
  const place = buttons.indexOf(document.activeElement);
  const inSearch = document.activeElement === search();
  if (!inSearch && place < 0) return;
  if (event.key === "ArrowDown" && buttons.length) {
    buttons[Math.min(place + 1, buttons.length - 1)].focus();
  } else if (event.key === "ArrowUp" && place >= 0) {
    (place ? buttons[place - 1] : search()).focus();
  } else if (event.key === "Enter" && inSearch && buttons.length) {
    buttons[0].click();
  } else if (event.key === "Escape") {
    search().value = "";
    document.getElementById("suggestions").textContent = "";
    search().focus();
  } else {
    return;
  }
  event.preventDefault();
});

// After the page's part was exchanged: back to the search field if a title was added from it, else to the
// nearest thing that is still there, so that a keyboard does not start at the top again.
let last = null;
let open = [];
document.addEventListener("htmx:beforeRequest", (event) => {
  const element = document.activeElement;
  last = element ? { id: element.id, found: Boolean(element.closest("#suggestions")) || element.id === "q",
                     card: element.closest(".card") ? Array.from(document.querySelectorAll(".card")).indexOf(element.closest(".card")) : -1 } : null;
  open = Array.from(document.querySelectorAll("details[open][id]"), (d) => d.id);
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target && event.detail.target.id === "suggestions") return;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (!last) return;
  const cards = document.querySelectorAll(".card");
  const again = document.getElementById(last.id);
  if (last.found) search()?.focus();
  else if (again) again.focus();
  else if (last.card >= 0 && cards.length) cards[Math.min(last.card, cards.length - 1)].querySelector("button").focus();
  else document.getElementById("results-title")?.focus();
});

// htmx notes the path of the page for a history that is switched off here.
const forget = () => sessionStorage.removeItem("htmx-current-path-for-history");
document.addEventListener("DOMContentLoaded", forget);
document.addEventListener("htmx:afterSettle", forget);

const complain = (text) => { const line = document.getElementById("done"); if (line) line.textContent = text; };
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  complain(status === 429 ? "Too many requests at once: wait a moment." :
           status === 413 ? "That list is too long." : "The site could not answer. Your list is still here.");
});
document.addEventListener("htmx:sendError", () => complain("No connection. Your list is still here."));
