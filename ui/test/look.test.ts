import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { contrast, readableOn, safeColour } from "../src/shared/colour";
import { deriveMark, MARK_COLOURS } from "../src/shared/mark";

const css = readFileSync("src/app.css", "utf8");

type Tokens = Record<string, string>;

/** The tokens of every `:root` block, with what they inherit from the plain one. */
function themes(): [string, Tokens][] {
  const own = [...css.matchAll(/:root \{([^}]*)\}/g)]
    .map((block) => {
      const found: Tokens = {};
      for (const [, name, colour] of (block[1] ?? "").matchAll(/--([\w-]+): (#\w{6});/g)) {
        if (name && colour) found[name] = colour;
      }
      return found;
    })
    .filter((tokens) => Object.keys(tokens).length > 0);
  const [light, dark, more, moreDark] = own;
  return [
    ["light", { ...light }],
    ["dark", { ...light, ...dark }],
    ["more contrast", { ...light, ...more }],
    ["dark, more contrast", { ...light, ...dark, ...more, ...moreDark }],
  ];
}

describe.each(themes())("%s", (_, tokens) => {
  const ratio = (a: string, b: string) => contrast(tokens[a] ?? "", tokens[b] ?? "");

  test.each(["text", "quiet", "accent", "good", "warning", "stop"])("%s reads on every ground", (name) => {
    expect(ratio(name, "ground")).toBeGreaterThanOrEqual(4.5);
    expect(ratio(name, "raised")).toBeGreaterThanOrEqual(4.5);
  });

  test("words read on the primary button", () => {
    expect(ratio("on-accent", "accent")).toBeGreaterThanOrEqual(4.5);
    expect(ratio("on-accent", "accent-hover")).toBeGreaterThanOrEqual(4.5);
  });

  test.each(["control", "focus"])("%s can be seen", (name) => {
    expect(ratio(name, "ground")).toBeGreaterThanOrEqual(3);
  });
});

describe("marks", () => {
  test("every colour of a mark reads on its ground", () => {
    for (const colour of MARK_COLOURS) expect(contrast(colour, "#ffffff")).toBeGreaterThanOrEqual(4.5);
  });

  test("the same key draws the same mark, others differ", () => {
    expect(deriveMark("abc")).toEqual(deriveMark("abc"));
    const marks = Array.from({ length: 500 }, (_, i) => JSON.stringify(deriveMark(`thumbprint-${i}`)));
    expect(new Set(marks).size).toBe(500);
  });

  test("a mark is never empty", () => {
    for (let i = 0; i < 500; i++) expect(deriveMark(`key ${i}`).cells.length).toBeGreaterThan(3);
  });

  test.each(["#f2c14e", "#0b5d6b", "#000000", "#ffffff", "#777777"])(
    "letters read on a tile of %s",
    (colour) => {
      expect(contrast(colour, readableOn(colour))).toBeGreaterThanOrEqual(4.5);
    },
  );

  test("a colour that is none becomes grey", () => {
    expect(safeColour('red" onload="x')).toBe("#5b6470");
  });
});
