// One presentation on the list page. A card is built once and then only told what changed, so that focus,
// selection and scroll position stay where the reader has them.

import type { Rung, Stream } from "../api.ts";
import { copyButton } from "../copy.ts";
import { el, setText } from "../dom.ts";
import { faultLabel } from "../faults.ts";
import { bitRate, count, seconds, UNKNOWN } from "../format.ts";
import { STATUSES } from "../health.ts";
import { onOrigin } from "../paths.ts";
import { facts, LABELS } from "./facts.ts";
import { sparkline } from "./sparkline.ts";
import type { Sample } from "./state.ts";

const STATES: Record<Stream["state"], string> = {
  live: "Live",
  resuming: "Waiting for the encoder",
  ended: "Ended",
};

/** What a card shows besides the stream itself. */
export interface Around {
  history: readonly Sample[];
  /** Milliseconds, by the gateway's clock. */
  now: number;
}

export interface Card {
  element: HTMLElement;
  show(stream: Stream, around: Around): void;
}

/** A card for `first` and what it becomes; `disconnect` is called when its publisher shall be disconnected. */
export function card(first: Stream, disconnect: (stream: Stream) => void): Card {
  let shown = first;
  const title = `${first.app} / ${first.name}`;

  const state = el("span", { class: "state" });
  const ladder = el("a", { class: "ladder" });
  // Its words are on the player page.
  const health = el("a", { class: "health" });
  const watch = el("a", { class: "button primary" }, "Watch");
  watch.setAttribute("aria-label", `Watch ${title}`);
  const copy = copyButton("Copy URL", () => onOrigin(shown.playlist, location.origin) ?? "");
  copy.title = "The playlist's address, for any HLS player";
  const cut = el("button", { type: "button", class: "button danger" }, "Disconnect");
  cut.setAttribute("aria-label", `Disconnect ${title}`);
  cut.addEventListener("click", () => disconnect(shown));

  const current = el("span", { class: "figure" });
  const average = el("span", { class: "muted" });
  const spark = sparkline();
  const values = Object.fromEntries(LABELS.map((label) => [label, el("dd")]));
  const bars = el("dd", { class: "bars", "aria-hidden": "true" });
  const faults = el("div", { class: "faults" });

  const element = el(
    "article",
    { class: "card" },
    el(
      "header",
      {},
      el("h2", {}, el("span", { class: "muted" }, `${first.app} / `), first.name),
      state,
      health,
      ladder,
      el("div", { class: "actions" }, watch, copy, cut),
    ),
    el("div", { class: "rate" }, el("p", {}, current, " ", average), spark.element),
    el(
      "dl",
      { class: "facts" },
      ...LABELS.map((label) => el("div", {}, el("dt", {}, label), values[label] as HTMLElement)),
    ),
    faults,
  );
  values["Segments"]?.after(bars);

  return {
    element,
    show(stream, { history, now }) {
      shown = stream;
      element.dataset["state"] = stream.state;
      setText(state, STATES[stream.state] ?? stream.state);
      showHealth(health, stream, title);
      showLadder(ladder, stream);
      watch.href = onOrigin(stream.watch, location.origin) ?? "/";
      cut.disabled = stream.publisher === null;
      setText(current, stream.publisher ? bitRate(stream.publisher.bit_rate_current) : UNKNOWN);
      setText(average, stream.publisher ? `${bitRate(stream.publisher.bit_rate_average)} on average` : "");
      spark.show(history);
      const words = facts(stream, now);
      for (const label of LABELS) setText(values[label] as HTMLElement, words[label]);
      showBars(bars, stream.window);
      showFaults(faults, stream.faults);
    },
  };
}

/** Of a stream that nobody publishes any more it says nothing. */
function showHealth(health: HTMLAnchorElement, { health: status, state, watch }: Stream, title: string): void {
  health.hidden = state !== "live";
  health.dataset["health"] = status;
  health.href = `${onOrigin(watch, location.origin) ?? "/"}#doctor`;
  setText(health, STATUSES[status] ?? status);
  health.title = `What the encoder of ${title} should change`;
}

const STANDINGS: Record<Rung["standing"], string> = {
  leads: "Rung of",
  fits: "Rung of",
  misfits: "Left out of",
  empty: "Not yet in",
  away: "Away from",
};

/** The ladder that it is a rung of, to be watched. */
function showLadder(link: HTMLAnchorElement, { rung, state }: Stream): void {
  link.hidden = rung === null || state === "ended";
  if (rung === null) return;
  link.href = onOrigin(`/watch/${rung.ladder}`, location.origin) ?? "/";
  link.title = "One of several qualities of one stream: watch it with all of them";
  const reason = rung.reason === null ? "" : `: ${rung.reason}`;
  setText(link, `${STANDINGS[rung.standing] ?? rung.standing} ${rung.ladder}${reason}`);
}

/** A bar per segment, as high as it is long against the longest; the ones that begin badly stand out. */
function showBars(bars: HTMLElement, window: Stream["window"]): void {
  const key = JSON.stringify(window);
  if (bars.dataset["of"] === key) return;
  bars.dataset["of"] = key;
  const longest = Math.max(
    window.target_duration_seconds ?? 0,
    ...window.segments.map((segment) => segment.duration_seconds),
  );
  bars.replaceChildren(
    ...window.segments.map((segment) => {
      const notes = [
        `Segment ${segment.sequence}: ${seconds(segment.duration_seconds)}`,
        segment.independent ? null : "does not begin with a key frame",
        segment.discontinuity ? "follows a discontinuity" : null,
      ];
      const bar = el("span", { class: "bar", title: notes.filter(Boolean).join(", ") });
      bar.classList.toggle("dependent", !segment.independent);
      bar.classList.toggle("discontinuity", segment.discontinuity);
      bar.style.blockSize = `${Math.max(8, (100 * segment.duration_seconds) / longest)}%`;
      return bar;
    }),
  );
}

function showFaults(box: HTMLElement, faults: Stream["faults"]): void {
  const key = JSON.stringify(faults);
  if (box.dataset["of"] === key) return;
  box.dataset["of"] = key;
  if (faults.total === 0) {
    box.replaceChildren();
    return;
  }
  const kinds = Object.entries(faults.kinds).map(([kind, times]) =>
    el("li", {}, faultLabel(kind), " ", el("b", {}, `× ${count(times)}`)),
  );
  box.replaceChildren(
    el("h3", {}, faults.total === 1 ? "1 fault" : `${count(faults.total)} faults`),
    el("ul", { class: "chips" }, ...kinds),
    faults.last ? el("p", {}, el("span", { class: "muted" }, "Last: "), faults.last) : "",
  );
}
