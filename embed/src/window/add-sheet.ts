/**
 * Another sheet of the document, for rules that come with a script: the policy allows no inline
 * style, and a file of their own could fail alone.
 */
export function addSheet(): CSSStyleSheet | null {
  if (typeof CSSStyleSheet === 'undefined') return null;
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  return sheet;
}
