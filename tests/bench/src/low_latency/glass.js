// Reads the clock in each picture that the player page shows (`clock_picture.rs` draws it), and notes it in
// `window.glass` with the time at which it is seen.

const { video, hls } = window.forebay;
const glass = { seen: [], unread: 0, began: 0 };
window.glass = glass;

// One pixel for each block of the picture, from its middle.
const COLUMNS = 8;
const ROWS = 4;
const canvas = new OffscreenCanvas(COLUMNS, ROWS);
const context = canvas.getContext("2d", { willReadFrequently: true });
context.imageSmoothingEnabled = false;

/** Milliseconds since 1970, the lowest 24 bits; null where there is no clock. */
function clock() {
  context.drawImage(video, 0, 0, COLUMNS, ROWS);
  const { data } = context.getImageData(0, 0, COLUMNS, ROWS);
  const bytes = Array.from({ length: ROWS }, (_, row) => {
    let byte = 0;
    for (let column = 0; column < COLUMNS; column += 1) {
      byte = (byte << 1) | (data[(row * COLUMNS + column) * 4] > 127 ? 1 : 0);
    }
    return byte;
  });
  const [high, middle, low, check] = bytes;
  return (high ^ middle ^ low ^ check) === 0xff ? (high << 16) | (middle << 8) | low : null;
}

function shown(_, { expectedDisplayTime }) {
  video.requestVideoFrameCallback(shown);
  const drawn = clock();
  if (drawn === null) {
    glass.unread += 1;
    return;
  }
  const at = Date.now() + expectedDisplayTime - performance.now();
  const dated = hls.playingDate?.getTime();
  glass.seen.push([at, drawn, dated === undefined ? null : Date.now() - dated]);
}
video.requestVideoFrameCallback(shown);

// A player that begins anew empties the element first.
video.addEventListener("emptied", () => {
  glass.began += 1;
});
