/** Enough color arithmetic to keep text readable on a configured background. */

/** The three channels, 0 to 1, of `#rgb` or `#rrggbb`. The service admits no other notation. */
function channels(hex: string): number[] {
  const digits = hex.length < 6 ? hex.replace(/\w/g, '$&$&') : hex;
  return [1, 3, 5].map((at) => Number.parseInt(digits.slice(at, at + 2), 16) / 255);
}

/** Relative luminance as WCAG 2.2 defines it. */
export function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = channels(hex).map((c) =>
    c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Black or white, whichever stands out more; they break even at a luminance of 0.179. */
export function readableOn(hex: string): string {
  return luminance(hex) > 0.179 ? '#000' : '#fff';
}
