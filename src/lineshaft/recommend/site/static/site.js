"use strict";
// Small comforts on top of a form that works without them. Nothing is stored in the browser.
document.documentElement.classList.add("with-js");

const byId = (id) => document.getElementById(id);
const search = () => byId("q");
const choices = () => Array.from(document.querySelectorAll("#suggestions button"));
const cards = () => Array.from(document.querySelectorAll(".card"));

// What has happened is read aloud: in a place that stays, since screen readers do not notice one that is new.
const say = (text) => { byId("live").textContent = text; };

// Arrow keys move between the search field and the titles found; Enter takes the first; Escape empties.
document.addEventListener("keydown", (event) => {
  const buttons = choices();
  const place = buttons.indexOf(document.activeElement);
  const inSearch = document.activeElement === search();
  if (event.isComposing || (!inSearch && place < 0)) return;
  if (event.key === "ArrowDown" && buttons.length) {
    buttons[Math.min(place + 1, buttons.length - 1)].focus();
  } else if (event.key === "ArrowUp" && place >= 0) {
    (place ? buttons[place - 1] : search()).focus();
  } else if (event.key === "Enter" && inSearch && buttons.length) {
    buttons[0].click();
  } else if (event.key === "Escape") {
    search().value = "";
    byId("suggestions").textContent = "";
    search().focus();
  } else {
    return;
  }
  event.preventDefault();
});

// After the page's part was exchanged the keyboard goes on where it was: in the search field after a title was
// added from it, at the first new card after "More", else at the nearest thing that is still there.
let last = null;
let open = [];
document.addEventListener("htmx:beforeRequest", () => {
  const element = document.activeElement;
  last = element && {
    id: element.id,
    found: Boolean(element.closest("#suggestions")) || element.id === "q",
    card: element.id === "more" ? cards().length : cards().indexOf(element.closest(".card")),
  };
  open = Array.from(document.querySelectorAll("details[open][id]"), (d) => d.id);
});
document.addEventListener("htmx:afterSettle", (event) => {
  const target = event.detail.target;
  if (target && target.id === "suggestions") {
    say(target.querySelector(".count")?.textContent || "");
    return;
  }
  say(byId("done")?.textContent || "");
  for (const id of open) if (id !== "import-box") byId(id)?.setAttribute("open", "");
  if (!last) return;
  const again = last.id !== "more" && last.id && byId(last.id);
  const card = last.card >= 0 && cards()[Math.min(last.card, cards().length - 1)];
  if (last.found) search()?.focus();
  else if (again && again.offsetParent) again.focus();
  else if (card) card.querySelector("button").focus();
  else (byId("results-title") || byId("how-title"))?.focus();
});

// htmx notes the path of the page for a history that is switched off here.
const forget = () => sessionStorage.removeItem("htmx-current-path-for-history");
document.addEventListener("DOMContentLoaded", forget);
document.addEventListener("htmx:afterSettle", forget);

const complain = (text) => { const line = byId("done"); if (line) line.textContent = text; say(text); };
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  complain(status === 429 ? "Too many requests at once: wait a moment." :
           status === 413 ? "That list is too long." :
           status === 503 ? "Too much is going on here: try again in a moment." :
           "The site could not answer. Your list is still here.");
});
document.addEventListener("htmx:sendError", () => complain("No connection. Your list is still here."));
