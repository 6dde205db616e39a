/** The bank's colour, in shades that can be read on light and on dark. */

/** @param {string} colour like #0b5d6b */
export function brandStyle(colour) {
  const onLight = shade(colour, [255, 255, 255], 5.5);
  const onDark = shade(colour, [27, 31, 36], 6);
  return `:root { --bar: ${colour}; --on-bar: ${textOn(colour)}; --brand: ${onLight}; --on-brand: ${textOn(onLight)}; }
@media (prefers-color-scheme: dark) { :root { --bar: ${shade(colour, [255, 255, 255], 9)}; --on-bar: #fff; --brand: ${onDark}; --on-brand: ${textOn(onDark)}; } }
`;
}

export function icon({ colour, monogram }) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="${colour}"/>`
    + `<text x="32" y="42" text-anchor="middle" font-family="system-ui, sans-serif" font-weight="600" font-size="28" fill="${textOn(colour)}">${monogram}</text></svg>`;
}

const parse = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
const write = (rgb) => `#${rgb.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;

/** Mixes towards black or white until the contrast with the ground is reached (WCAG 2 contrast ratio). */
function shade(colour, ground, wanted) {
  const target = luminance(ground) > 0.5 ? 0 : 255;
  const from = parse(colour);
  for (let mix = 0; mix <= 1; mix += 0.02) {
    const mixed = from.map((part) => part + (target - part) * mix);
    if (contrast(mixed, ground) >= wanted) return write(mixed);
  }
  return write([target, target, target]);
}

function textOn(colour) {
  return contrast(parse(colour), [255, 255, 255]) >= 4.5 ? '#ffffff' : '#10161c';
}

function contrast(a, b) {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(rgb) {
  const [r, g, b] = rgb.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
