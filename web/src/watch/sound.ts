// Sound: browsers start a video by themselves only while it is muted, so the page starts so and offers to
// switch the sound on.

/** Shows `button` while `video` is muted; pressing it switches the sound on. */
export function offerSound(video: HTMLVideoElement, button: HTMLButtonElement): void {
  const update = () => {
    button.hidden = !video.muted;
  };
  button.addEventListener("click", () => {
    video.muted = false;
    if (video.volume === 0) video.volume = 1;
    video.play().catch(() => undefined);
    video.focus();
  });
  video.addEventListener("volumechange", update);
  video.muted = true;
  update();
}
