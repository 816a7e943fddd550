// Asking again and again, but only while somebody looks.

/** A poll that runs until the page is left. */
export interface Poll {
  /** Takes a turn at once instead of waiting for the next. */
  now(): void;
}

/**
 * Calls `turn` at once and then whenever the milliseconds have passed that its last call resolved to;
 * never while the page is hidden, and at once when it is shown again. Turns never overlap. `turn` must not
 * reject.
 */
export function poll(turn: () => Promise<number>): Poll {
  let timer = 0;
  let running = false;
  let again = false;

  async function run(): Promise<void> {
    if (running) {
      again = true;
      return;
    }
    clearTimeout(timer);
    running = true;
    let delay: number;
    do {
      again = false;
      delay = await turn();
    } while (again);
    running = false;
    if (!document.hidden) timer = window.setTimeout(run, delay);
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else void run();
  });
  void run();
  return { now: () => void run() };
}
