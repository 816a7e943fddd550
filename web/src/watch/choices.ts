// What a viewer may choose where there is more than one: the quality of a ladder, and its sound. Only hls.js lets a
// page choose; the browser's own HLS has a menu for it where it has one.

import Hls from "hls.js";
import { el } from "../dom.ts";
import { bitRate } from "../format.ts";

/** hls.js's word for a level that it chooses itself. */
const AUTOMATIC = -1;

interface Choice {
  element: HTMLElement;
  /** Offers `names`, each under its value, and shows what is `chosen`; hidden where there is nothing to choose. */
  offer(names: readonly (readonly [number, string])[], chosen: number): void;
  /** Shows that another one of them is `chosen`. */
  show(chosen: number): void;
}

/** Adds the choices of `hls` to `place`. */
export function offerChoices(hls: Hls, place: HTMLElement): void {
  const quality = choice("Quality", (level) => {
    hls.loadLevel = level;
  });
  const sound = choice("Sound", (track) => {
    hls.audioTrack = track;
  });
  place.append(quality.element, sound.element);

  function offerQuality(): void {
    const levels = hls.levels.map(
      ({ height, bitrate }, at) => [at, height > 0 ? `${height}p, ${bitRate(bitrate)}` : bitRate(bitrate)] as const,
    );
    // The best first, as viewers look for it; one is no choice.
    const names = levels.length > 1 ? [[AUTOMATIC, "Automatic"] as const, ...levels.reverse()] : [];
    quality.offer(names, chosenQuality());
  }
  function chosenQuality(): number {
    return hls.autoLevelEnabled ? AUTOMATIC : hls.loadLevel;
  }
  function offerSound(): void {
    const names = hls.audioTracks.map(({ name, lang }, at) => [at, lang ? `${name} (${lang})` : name] as const);
    sound.offer(names.length > 1 ? names : [], hls.audioTrack);
  }
  hls.on(Hls.Events.MANIFEST_PARSED, offerQuality);
  hls.on(Hls.Events.LEVELS_UPDATED, offerQuality);
  // It leaves one that was chosen where that cannot be loaded.
  hls.on(Hls.Events.LEVEL_SWITCHING, () => quality.show(chosenQuality()));
  hls.on(Hls.Events.AUDIO_TRACKS_UPDATED, offerSound);
  hls.on(Hls.Events.AUDIO_TRACK_SWITCHING, offerSound);
}

function choice(label: string, choose: (value: number) => void): Choice {
  const select = el("select", { class: "button", name: label.toLowerCase() });
  select.addEventListener("change", () => choose(Number(select.value)));
  const element = el("label", { class: "choice" }, `${label} `, select);
  element.hidden = true;
  return {
    element,
    offer(names, chosen) {
      element.hidden = names.length === 0;
      select.replaceChildren(...names.map(([value, name]) => el("option", { value: String(value) }, name)));
      select.value = String(chosen);
    },
    show(chosen) {
      select.value = String(chosen);
    },
  };
}
