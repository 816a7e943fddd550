// The player page: plays the presentation that its address names.

import "./styles/base.css";
import "./styles/watch.css";
import { type Ahead, guess, learn } from "./clock.ts";
import { copyButton } from "./copy.ts";
import { byId, setText } from "./dom.ts";
import { type Form, type Presentation, parseForm, parseWatchPath, playlistPath } from "./paths.ts";
import { poll } from "./poll.ts";
import { offerChoices } from "./watch/choices.ts";
import { doctor } from "./watch/doctor.ts";
import { expose } from "./watch/console.ts";
import { formSwitch } from "./watch/forms.ts";
import { panel } from "./watch/panel.ts";
import { play } from "./watch/player.ts";
import { offerSound } from "./watch/sound.ts";

/** How often the figures are read, in milliseconds: often enough for a clock, and slow enough to be read. */
const FIGURES_MS = 1_000;

const presentation = parseWatchPath(location.pathname);
if (presentation === null) {
  setText(byId("title", HTMLElement), "No stream");
  setText(byId("notice", HTMLElement), "This address names no stream: it should be /watch/application/name.");
} else {
  watch(presentation);
}

function watch(presentation: Presentation): void {
  const video = byId("video", HTMLVideoElement);
  const playlist = (form: Form) => new URL(playlistPath(presentation, form), location.origin).href;
  setText(byId("title", HTMLElement), `${presentation.app} / ${presentation.name}`);
  document.title = `${presentation.name} · Forebay`;
  offerSound(video, byId("unmute", HTMLButtonElement));

  let ahead: Ahead | null = null;
  const { showPhase, showHealth, showStats } = panel();
  const player = play(video, {
    playlist,
    form: parseForm(location.search),
    now: () => Date.now() + guess(ahead),
    show: showPhase,
  });
  expose(player, video);
  if (player.hls) offerChoices(player.hls, byId("choices", HTMLElement));
  const showForm = formSwitch();
  byId("links", HTMLElement).append(copyButton("Copy playlist URL", () => playlist(player.stats().form)));
  doctor(presentation, showHealth, (said) => {
    ahead = learn(ahead, said);
  });
  poll(async () => {
    const stats = player.stats();
    showStats(stats);
    showForm(stats.form);
    return FIGURES_MS;
  });
}
