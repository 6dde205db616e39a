/** Words of others, made safe to look at: nothing in them can hide, turn round or pretend. */

/** As much of an agent's words as is drawn. */
export const MOST = 200;

/**
 * What draws nothing, or draws somewhere else: controls, line and paragraph ends, directions, joiners, fillers, tags,
 * and what stands for no sign at all.
 */
// eslint-disable-next-line no-misleading-character-class
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115f\u1160\u17b4\u17b5\u3164\uffa0]/u;

/** More marks than this on one letter leave their line. */
const MARKS = 3;

/** The text with everything unseen written out, and cut where it is too long. */
export function visible(text: string, most: number = MOST): string {
  let out = "";
  let marks = 0;
  let count = 0;
  for (const sign of text) {
    if (count === most) return `${out}…`;
    count += 1;
    marks = /\p{M}/u.test(sign) ? marks + 1 : 0;
    if (marks > MARKS) continue;
    out += UNSEEN.test(sign) ? `⟨U+${codeOf(sign)}⟩` : sign;
  }
  return out;
}

function codeOf(sign: string): string {
  return (sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}
