import { describe, expect, it } from "vitest";
import { formQuery, onOrigin, parseForm, parseWatchPath, playlistPath, streamApiPath } from "./paths.ts";

describe("parseWatchPath", () => {
  it.each([
    ["/watch/live/show", { app: "live", name: "show" }],
    ["/watch/live/show/", { app: "live", name: "show" }],
    ["/watch/live/studio-2/show", { app: "live/studio-2", name: "show" }],
    ["/watch/live/a%20b", { app: "live", name: "a b" }],
    ["/watch/live/show.v1_x", { app: "live", name: "show.v1_x" }],
    ["/watch/live", null],
    ["/watch/", null],
    ["/", null],
    ["/watched/live/show", null],
    ["/watch//show", null],
    ["/watch/a/b/c/d", null],
    ["/watch/live/%2e%2e", null],
    ["/watch/live/a%2Fb", null],
    ["/watch/live/%E0%A4%A", null],
  ])("%s", (path, expected) => {
    expect(parseWatchPath(path)).toEqual(expected);
  });
});

describe("addresses of a presentation", () => {
  it.each([
    [{ app: "live", name: "show" }, "/live/show/index.m3u8", "/api/v1/streams/live/show"],
    [{ app: "a/b", name: "c" }, "/a/b/c/index.m3u8", "/api/v1/streams/a/b/c"],
    [{ app: "live", name: "a?b#c" }, "/live/a%3Fb%23c/index.m3u8", "/api/v1/streams/live/a%3Fb%23c"],
  ])("%o", (presentation, playlist, api) => {
    expect(playlistPath(presentation, "classic")).toBe(playlist);
    expect(playlistPath(presentation, "low-latency")).toBe(playlist.replace("index", "llhls"));
    expect(streamApiPath(presentation)).toBe(api);
  });
});

describe("parseForm", () => {
  it.each([
    ["", "low-latency"],
    ["?form=classic", "classic"],
    ["?x=1&form=classic", "classic"],
    ["?form=new", "low-latency"],
  ] as const)("%j", (query, form) => {
    expect(parseForm(query)).toBe(form);
    expect(parseForm(formQuery(form))).toBe(form);
  });
});

describe("onOrigin", () => {
  const origin = "http://gateway:8080";
  it.each([
    ["/watch/live/show", "http://gateway:8080/watch/live/show"],
    ["javascript:alert(1)", null],
    ["//elsewhere/x", null],
    ["https://gateway:8080/x", null],
    ["http://[", null],
  ])("%s", (path, expected) => {
    expect(onOrigin(path, origin)).toBe(expected);
  });
});
