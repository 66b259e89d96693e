// What an open page does beyond what a server can: focus the search, copy a command, keep ages up, tell a lost connection.
// Everything here is a convenience; without it the page says the same.
(() => {
  "use strict";

  const find = (selector) => document.querySelector(selector);

  // `/` goes to the search, Escape leaves it.
  document.addEventListener("keydown", (event) => {
    const search = find("[data-search]");
    const writes = event.target.closest?.("input, select, textarea, [contenteditable]");
    if (event.key === "/" && !writes && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      if (search) search.focus();
      else window.location.assign("/resources#q");
    } else if (event.key === "Escape" && event.target === search) {
      search.blur();
    }
  });
  if (window.location.hash === "#q") find("[data-search]")?.focus();

  // Commands to copy.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("is-copied");
    setTimeout(() => button.classList.remove("is-copied"), 1500);
  });
  const offerCopies = () => {
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
  };

  // Ages, in the words that the server uses.
  const words = (seconds) => {
    if (seconds < 60) return `${Math.floor(seconds)}\u00a0s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)}\u00a0min`;
    if (seconds < 172800) return `${Math.floor(seconds / 3600)}\u00a0h`;
    return `${Math.floor(seconds / 86400)}\u00a0days`;
  };
  const keepAges = () => {
    const now = Date.now();
    for (const time of document.querySelectorAll("time[data-age], time[data-due]")) {
      const seconds = (Date.parse(time.dateTime) - now) / 1000;
      const past = "due" in time.dataset ? "now" : `${words(-seconds)} ago`;
      const text = seconds > 0 ? `in ${words(seconds)}` : past;
      if (time.textContent !== text) time.textContent = text;
    }
  };
  setInterval(keepAges, 1000);

  // Live, or lost for longer than a moment. A paused page stays as it is.
  const live = find("#live");
  const lost = find("#lost");
  let lostAt = null;
  let telling = null;
  const isLive = () => {
    clearTimeout(telling);
    telling = null;
    lostAt = null;
    lost.hidden = true;
    live.hidden = false;
  };
  const isLost = () => {
    if (document.hidden || telling) return;
    lostAt ??= new Date();
    live.hidden = true;
    telling = setTimeout(() => {
      find("#lost-since").textContent = `at ${lostAt.toLocaleTimeString()}`;
      lost.hidden = false;
    }, 3000);
  };
  document.addEventListener("htmx:sse:after:connection", isLive);
  document.addEventListener("htmx:sse:after:message", isLive);
  document.addEventListener("htmx:sse:error", isLost);
  document.addEventListener("htmx:sse:close", isLost);

  // Pausing an open page: news are not heard until it goes on.
  let paused = false;
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-pause]");
    if (!button) return;
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    button.textContent = paused ? "Go on" : "Pause";
    if (!paused) htmx.trigger(document.body, "changed");
  });
  document.body.addEventListener("changed", (event) => paused && event.stopImmediatePropagation(), true);

  document.addEventListener("htmx:after:swap", () => {
    offerCopies();
    keepAges();
  });
  const begin = () => {
    offerCopies();
    for (const button of document.querySelectorAll("[data-pause][hidden]")) button.hidden = false;
  };
  begin();
})();
