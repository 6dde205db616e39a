/** An agent's mark, drawn from its key's thumbprint alone: the same name with another key looks different. */

/** Dark enough on the mark's white ground for AA text. */
export const MARK_COLOURS = [
  "#0b5d6b",
  "#8a3b12",
  "#5b3a8c",
  "#1d6b34",
  "#9c1f4b",
  "#1f4e9c",
  "#6b5900",
  "#474f5b",
] as const;

export type Cell = { x: number; y: number; shape: "square" | "round" | "rising" | "falling" };
export type Mark = { colour: string; cells: Cell[] };

const SHAPES = ["square", "round", "rising", "falling"] as const;
const SIZE = 5;

/** FNV-1a over the text with a salt; spreads any text, also one that is no thumbprint. */
function hash(text: string, salt: number): number {
  let value = (0x811c9dc5 ^ salt) >>> 0;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  value ^= value >>> 15;
  value = Math.imul(value, 0x2c1b3c6d) >>> 0;
  return (value ^ (value >>> 13)) >>> 0;
}

/** Derives the mark: 15 cells, mirrored, each empty or one of four shapes, in one of eight colours. */
export function deriveMark(thumbprint: string): Mark {
  const colour = MARK_COLOURS[hash(thumbprint, 1) % MARK_COLOURS.length] ?? MARK_COLOURS[0];
  const cells: Cell[] = [];
  const half = Math.ceil(SIZE / 2);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < half; x++) {
      const roll = hash(thumbprint, 2 + y * half + x);
      if ((roll & 7) < 3) continue;
      const shape = SHAPES[(roll >>> 3) & 3] ?? "square";
      cells.push({ x, y, shape });
      if (x < SIZE - 1 - x) cells.push({ x: SIZE - 1 - x, y, shape: mirrored(shape) });
    }
  }
  return { colour, cells };
}

function mirrored(shape: Cell["shape"]): Cell["shape"] {
  if (shape === "rising") return "falling";
  return shape === "falling" ? "rising" : shape;
}
