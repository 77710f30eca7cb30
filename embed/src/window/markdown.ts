/**
 * Parses the subset of Markdown that agents write: paragraphs, line breaks, lists, code, emphasis
 * and links. The result is plain data that the view turns into nodes; nothing is parsed as HTML.
 * Headings become bold text, and images stay as they were typed.
 */

export type Inline =
  | string
  | { type: 'strong' | 'em'; children: Inline[] }
  | { type: 'code'; text: string }
  | { type: 'link'; href: string; children: Inline[] }
  | { type: 'break' };

export type Block =
  | { type: 'paragraph'; children: Inline[] }
  | { type: 'list'; ordered: boolean; start: number; items: Inline[][] }
  | { type: 'code'; text: string };

/** How deep emphasis may nest; beyond this, text stays as it is. */
const MAX_DEPTH = 4;

/** An address that may become a link, or null: only these schemes, and nothing relative. */
export function safeHref(address: string): string | null {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return null;
  try {
    const url = new URL(address);
    return /^(https?|mailto):$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Tried in this order at each position; each runs in linear time. */
const CODE = /`([^`\n]+)`/y;
const STRONG = /(\*\*|__)(?=\S)([^\n]{1,1000}?\S)\1/y;
const EMPHASIS = /([*_])(?=[^\s*_])([^\n*_]{1,1000}?)(?<=\S)\1(?!\w)/y;
const LINK =
  /\[([^[\]\n]{1,300})\]\(([^\s()<>]{1,2000}(?:\([^\s()<>]{0,200}\)[^\s()<>]{0,200})?)\)/y;
const ADDRESS = /(?:https?:\/\/|mailto:)[^\s<>"']{1,2000}/iy;
const ESCAPE = /\\([\\`*_[\](){}#+.!-])/y;

function at(pattern: RegExp, text: string, index: number): RegExpExecArray | null {
  pattern.lastIndex = index;
  return pattern.exec(text);
}

/** A bare address without the punctuation that ends the sentence around it. */
function trimAddress(address: string): string {
  let trimmed = address.replace(/[.,;:!?*_~]+$/, '');
  if (trimmed.endsWith(')') && !trimmed.includes('(')) trimmed = trimmed.slice(0, -1);
  return trimmed;
}

export function parseInline(text: string, depth = 0, plain = false): Inline[] {
  const out: Inline[] = [];
  let buffer = '';
  const push = (node: Inline) => {
    if (buffer) out.push(buffer);
    buffer = '';
    out.push(node);
  };
  let index = 0;
  while (index < text.length) {
    const char = text[index] as string;
    const before = text[index - 1] ?? ' ';
    let match: RegExpExecArray | null = null;
    if (char === '\n') {
      push({ type: 'break' });
      index += 1;
      continue;
    }
    if (!plain && char === '\\' && (match = at(ESCAPE, text, index))) {
      buffer += match[1];
    } else if (!plain && char === '`' && (match = at(CODE, text, index))) {
      push({ type: 'code', text: match[1] as string });
    } else if (
      !plain &&
      depth < MAX_DEPTH &&
      (char === '*' || (char === '_' && !/\w/.test(before))) &&
      (match = at(STRONG, text, index) ?? at(EMPHASIS, text, index))
    ) {
      const type = match[1]?.length === 2 ? 'strong' : 'em';
      push({ type, children: parseInline(match[2] as string, depth + 1) });
    } else if (!plain && char === '[' && (match = at(LINK, text, index))) {
      const href = safeHref(match[2] as string);
      if (href) push({ type: 'link', href, children: [match[1] as string] });
      else buffer += match[0];
    } else if (/[hm]/i.test(char) && !/\w/.test(before) && (match = at(ADDRESS, text, index))) {
      const shown = trimAddress(match[0]);
      const href = safeHref(shown);
      match[0] = shown;
      if (href) push({ type: 'link', href, children: [shown] });
      else buffer += shown;
    }
    if (match?.[0]) {
      index += match[0].length;
    } else {
      buffer += char;
      index += 1;
    }
  }
  if (buffer) out.push(buffer);
  return out;
}

const BULLET = /^\s{0,3}[-*+]\s+(.*)$/;
const NUMBER = /^\s{0,3}(\d{1,9})[.)]\s+(.*)$/;

export function parseMarkdown(text: string): Block[] {
  const blocks: Block[] = [];
  let lines: string[] = [];
  let code: string[] | null = null;

  const flush = () => {
    if (lines.length) blocks.push({ type: 'paragraph', children: parseInline(lines.join('\n')) });
    lines = [];
  };

  for (const line of text.replace(/\r\n?/g, '\n').split('\n')) {
    if (/^\s{0,3}```/.test(line)) {
      if (code) blocks.push({ type: 'code', text: code.join('\n') });
      else flush();
      code = code ? null : [];
      continue;
    }
    if (code) {
      code.push(line);
      continue;
    }
    const bullet = BULLET.exec(line);
    const number = bullet ? null : NUMBER.exec(line);
    if (bullet || number) {
      flush();
      const ordered = number !== null;
      const item = parseInline((number?.[2] ?? bullet?.[1]) as string);
      const last = blocks.at(-1);
      if (last?.type === 'list' && last.ordered === ordered) last.items.push(item);
      else blocks.push({ type: 'list', ordered, start: Number(number?.[1] ?? 1), items: [item] });
    } else if (!line.trim()) {
      flush();
    } else {
      const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line);
      if (heading) {
        flush();
        const children = parseInline(heading[1] as string, 1);
        blocks.push({ type: 'paragraph', children: [{ type: 'strong', children }] });
      } else {
        lines.push(line);
      }
    }
  }
  // A fence that is still open is code that is still being written.
  if (code) blocks.push({ type: 'code', text: code.join('\n') });
  flush();
  return blocks;
}
