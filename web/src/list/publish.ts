// What to type into an encoder to publish here.

import { copyButton } from "../copy.ts";
import { byId, el } from "../dom.ts";

/** An example of a stream key: the last part of every address that comes of it. */
const KEY = "show";

/** Fills the page's section on publishing for a gateway that is reached as `host`. */
export function fillPublishing(host: string): void {
  const server = `rtmp://${host}/live`;
  byId("obs", HTMLElement).replaceChildren(row("Server", server), row("Stream key", KEY));
  byId("ffmpeg", HTMLElement).replaceChildren(
    row("Test picture", ...ffmpeg(TEST_SOURCES, `${server}/${KEY}`)),
    row("A file", ...ffmpeg(["-re -i video.mp4"], `${server}/${KEY}`)),
  );
}

const TEST_SOURCES = [
  "-re -f lavfi -i testsrc2=size=1280x720:rate=30",
  "-f lavfi -i sine=frequency=440:sample_rate=48000",
];

/** Key frames each two seconds: the gateway cuts segments at them. */
function ffmpeg(inputs: string[], target: string): string[] {
  return [
    "ffmpeg",
    ...inputs,
    "-c:v libx264 -preset veryfast",
    "-pix_fmt yuv420p -b:v 3M",
    '-force_key_frames "expr:gte(t,n_forced*2)"',
    "-c:a aac -b:a 128k",
    "-f flv",
    target,
  ];
}

/** `pieces` make one line to copy; on the page it is broken between them where it can be. */
function row(label: string, ...pieces: string[]): HTMLElement {
  const copy = copyButton("Copy", () => pieces.join(" "));
  copy.setAttribute("aria-label", `Copy: ${label}`);
  const shown = pieces.flatMap((piece) => [el("span", {}, piece), " "]);
  return el("div", {}, el("dt", {}, label), el("dd", {}, el("code", {}, ...shown), copy));
}
