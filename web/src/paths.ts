// The gateway's addresses, as far as the pages build or read them.

/** A presentation by its name; `app` may have two parts (`app/instance`). */
export interface Presentation {
  app: string;
  name: string;
}

/**
 * The presentation that a `/watch/{app}/{name}` or `/watch/{app}/{instance}/{name}` path asks for, or null
 * where the path asks for none.
 */
export function parseWatchPath(path: string): Presentation | null {
  const parts = path.replace(/\/$/, "").split("/");
  if (parts[0] !== "" || parts[1] !== "watch" || parts.length < 4 || parts.length > 5) return null;
  const names: string[] = [];
  for (const part of parts.slice(2)) {
    const name = decode(part);
    // A name with a slash or of dots only would end up somewhere else than it says.
    if (name === null || name === "" || name.includes("/") || /^\.+$/.test(name)) return null;
    names.push(name);
  }
  const name = names.pop() as string;
  return { app: names.join("/"), name };
}

/** What a presentation is served as: parts as they come, or whole segments. */
export type Form = "low-latency" | "classic";

const PLAYLISTS: Record<Form, string> = { "low-latency": "llhls.m3u8", classic: "index.m3u8" };

/** Where the multivariant playlist of a presentation is. */
export function playlistPath({ app, name }: Presentation, form: Form): string {
  return `/${encodePath(app)}/${encodePath(name)}/${PLAYLISTS[form]}`;
}

/** The form that the query of a watch page's address asks for: low latency unless it says `form=classic`. */
export function parseForm(query: string): Form {
  return new URLSearchParams(query).get("form") === "classic" ? "classic" : "low-latency";
}

/** The query that asks for `form`; none for the usual one. */
export function formQuery(form: Form): string {
  return form === "classic" ? "?form=classic" : "";
}

/** Where the status API speaks of a presentation. */
export function streamApiPath({ app, name }: Presentation): string {
  return `/api/v1/streams/${encodePath(app)}/${encodePath(name)}`;
}

/** `path` as an absolute address on `origin`, or null if it leads anywhere else (`javascript:`, another host). */
export function onOrigin(path: string, origin: string): string | null {
  try {
    const url = new URL(path, origin);
    return url.origin === origin ? url.href : null;
  } catch {
    return null;
  }
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function decode(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
