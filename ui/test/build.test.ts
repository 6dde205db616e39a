// @vitest-environment node
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** What a customer gets: two pages, files only, nothing inline, nothing of the fake. */
describe("the production build", () => {
  const outDir = mkdtempSync(join(tmpdir(), "countersign-ui-"));
  const texts: Record<string, string> = {};

  beforeAll(async () => {
    const mode = process.env.NODE_ENV;
    process.env.NODE_ENV = "production";
    await build({ mode: "production", logLevel: "silent", build: { outDir, emptyOutDir: true } });
    process.env.NODE_ENV = mode;
    for (const file of readdirSync(outDir, { recursive: true, encoding: "utf8" })) {
      if (/\.(html|js|css)$/.test(file)) texts[file] = readFileSync(join(outDir, file), "utf8");
    }
  }, 60_000);

  afterAll(() => rmSync(outDir, { recursive: true, force: true }));

  test("holds nothing of the fake", () => {
    const all = Object.values(texts).join("\n");
    expect(all.length).toBeGreaterThan(10_000);
    expect(all).not.toMatch(/Budget Buddy|K7-4MQ|sandbox-bank|startScenario/);
  });

  test("needs nothing that the content security policy forbids", () => {
    for (const page of ["index.html", "approval.html"]) {
      expect(texts[page], page).toMatch(/<script/);
      expect(texts[page], page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:/);
    }
    for (const [file, text] of Object.entries(texts)) {
      if (file.endsWith(".css")) expect(text, file).not.toMatch(/@import|url\(/);
      if (file.endsWith(".js")) expect(text, file).not.toMatch(/\beval\(|new Function\(|document\.write\(/);
    }
  });
});
