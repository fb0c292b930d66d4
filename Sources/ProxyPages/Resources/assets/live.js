// Keeps the dashboard's figures of now up to date, while the page is seen and not paused.

const bar = document.querySelector("[data-live]");
const text = document.querySelector("[data-live-text]");
const toggle = document.querySelector("[data-live-toggle]");
let source = null;
let paused = false;

function put(data) {
  for (const [name, value] of Object.entries(data.figures)) {
    for (const place of document.querySelectorAll(`[data-figure="${CSS.escape(name)}"]`)) {
      if (place.textContent !== value) place.textContent = value;
    }
  }
  for (const [name, points] of Object.entries(data.lines)) {
    for (const line of document.querySelectorAll(`[data-line="${CSS.escape(name)}"]`)) line.setAttribute("points", points);
  }
}

function say(words, isLive) {
  if (text.textContent !== words) text.textContent = words;
  bar.dataset.state = isLive ? "live" : "stopped";
}

function start() {
  if (source || paused || document.hidden) return;
  source = new EventSource("/admin/events");
  source.addEventListener("message", (event) => {
    put(JSON.parse(event.data));
    say("live", true);
  });
  source.addEventListener("error", () => {
    // The server ends each answer and the browser asks again; only a closed source has come to an end.
    if (source && source.readyState === EventSource.CLOSED) {
      stop();
      say("stopped: reload the page", false);
    }
  });
}

function stop() {
  if (source) source.close();
  source = null;
}

if (bar && text && toggle && "EventSource" in window) {
  bar.hidden = false;
  toggle.addEventListener("click", () => {
    paused = !paused;
    toggle.textContent = paused ? "Go on" : "Pause";
    if (paused) stop();
    else start();
    say(paused ? "paused" : "live", !paused);
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  start();
}
