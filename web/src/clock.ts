// The gateway's clock, as far as its answers tell: each says a time, and was written after it was asked for and
// before it came. Pure; all times are milliseconds since 1970.

/** A time that the gateway said. */
export interface Said {
  /** This device's clock before and after. */
  asked: number;
  answered: number;
  /** The gateway's clock in between, rounded down to `grain`. */
  said: number;
  grain: number;
}

/** How far the gateway's clock is ahead of this device's: between these. */
export interface Ahead {
  least: number;
  most: number;
}

/** What is known after another answer: each leaves less room than those before it did. */
export function learn(known: Ahead | null, { asked, answered, said, grain }: Said): Ahead {
  const heard = { least: said - answered, most: said + grain - asked };
  if (known === null) return heard;
  const both = { least: Math.max(known.least, heard.least), most: Math.min(known.most, heard.most) };
  // They contradict one another: a clock was set, or has drifted.
  return both.least <= both.most ? both : heard;
}

/** How far the gateway's clock is ahead, by the best guess; as long as nothing is known, not at all. */
export function guess(known: Ahead | null): number {
  return known === null ? 0 : (known.least + known.most) / 2;
}
