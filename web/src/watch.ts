// The player page: plays the presentation that its address names.

import "./styles/base.css";
import "./styles/watch.css";
import { copyButton } from "./copy.ts";
import { byId, setText } from "./dom.ts";
import { type Presentation, parseWatchPath, playlistPath } from "./paths.ts";
import { poll } from "./poll.ts";
import { doctor } from "./watch/doctor.ts";
import { expose } from "./watch/console.ts";
import { panel } from "./watch/panel.ts";
import { play } from "./watch/player.ts";
import { offerSound } from "./watch/sound.ts";

/** How often the figures are read, in milliseconds. */
const FIGURES_MS = 500;

const presentation = parseWatchPath(location.pathname);
if (presentation === null) {
  setText(byId("title", HTMLElement), "No stream");
  setText(byId("notice", HTMLElement), "This address names no stream: it should be /watch/application/name.");
} else {
  watch(presentation);
}

function watch(presentation: Presentation): void {
  const video = byId("video", HTMLVideoElement);
  const playlist = new URL(playlistPath(presentation), location.origin).href;
  setText(byId("title", HTMLElement), `${presentation.app} / ${presentation.name}`);
  document.title = `${presentation.name} · Forebay`;
  byId("links", HTMLElement).append(copyButton("Copy playlist URL", () => playlist));

  offerSound(video, byId("unmute", HTMLButtonElement));
  const { showPhase, showHealth, showStats } = panel();
  const player = play(video, playlist, showPhase);
  expose(player, video);
  doctor(presentation, showHealth);
  poll(async () => {
    showStats(player.stats());
    return FIGURES_MS;
  });
}
