// The pages of a gateway that was built without Node.js: as little as does the job, served as it stands.
// Text from the gateway goes in as text only; addresses are built here.
"use strict";

const REFRESH_MS = 2000;

/** What is said of a stream whose encoder could do better. */
const HEALTH = { warning: ", could be better", problem: ", in trouble" };

const said = document.getElementById("said");
const list = document.getElementById("streams");
const video = document.getElementById("video");
if (list) showStreams();
if (video) watch();

async function showStreams() {
  try {
    if (!document.hidden) {
      const response = await fetch("/api/v1/streams", { cache: "no-store" });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      const { streams } = await response.json();
      said.textContent = streams.length === 0 ? "Nothing is live." : "";
      replaceItems(streams);
    }
  } catch {
    said.textContent = "The gateway does not answer.";
  }
  setTimeout(showStreams, REFRESH_MS);
}

/** Only when something changed: a link must not be taken away from under the finger. */
function replaceItems(streams) {
  const shown = JSON.stringify(streams.map(({ app, name, state, health }) => [app, name, state, health]));
  if (list.dataset.shown === shown) return;
  list.dataset.shown = shown;
  list.replaceChildren(
    ...streams.map(({ app, name, state, health }) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `/watch/${encodePath(app)}/${encodePath(name)}`;
      link.textContent = `${app} / ${name}`;
      item.append(link, ` (${state}${HEALTH[health] ?? ""})`);
      return item;
    }),
  );
}

function watch() {
  // Styles by script are within the Content-Security-Policy, unlike those in the HTML.
  video.style.maxWidth = "100%";
  const path = location.pathname.replace(/^\/watch/, "").replace(/\/$/, "");
  // Low latency first. The other form is what each error is answered with: it may be there alone.
  const forms = ["llhls.m3u8", "index.m3u8"].map((file) => `${location.origin}${path}/${file}`);
  document.getElementById("title").textContent = document.title = path.slice(1);
  document.getElementById("playlist").href = forms[1];
  showAdvice(`/api/v1/streams${path}/health`);
  if (video.canPlayType("application/vnd.apple.mpegurl") === "") {
    said.textContent = "This browser has no HLS of its own.";
    return;
  }
  video.addEventListener("playing", () => {
    said.textContent = "";
  });
  video.addEventListener("error", () => {
    said.textContent = "Waiting for the encoder; trying again.";
    forms.reverse();
    setTimeout(load, REFRESH_MS);
  });
  load();

  function load() {
    video.src = forms[0];
    video.play().catch(() => undefined);
  }
}

/** What the encoder should change, in the gateway's words; nothing where nobody may ask here. */
async function showAdvice(address) {
  if (!document.hidden) {
    const response = await fetch(address, { cache: "no-store" }).catch(() => null);
    const { advice = [] } = response?.ok ? await response.json() : {};
    document.getElementById("advice").replaceChildren(
      ...advice.map(({ severity, text, remedy }) => {
        const item = document.createElement("li");
        item.textContent = `${severity}: ${text} ${remedy}`;
        return item;
      }),
    );
  }
  setTimeout(showAdvice, 2 * REFRESH_MS, address);
}

function encodePath(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}
