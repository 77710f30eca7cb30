/**
 * Parses the Markdown that agents write: paragraphs, line breaks, nested lists, quotes, tables,
 * rules, code, emphasis and links. The result is plain data that the view turns into nodes; nothing
 * is parsed as HTML. Headings become bold text, and an image becomes a link with its text.
 */

export type Inline =
  | string
  | { type: 'strong' | 'em' | 'del'; children: Inline[] }
  | { type: 'code'; text: string }
  | { type: 'link'; href: string; children: Inline[] }
  | { type: 'break' };

export type Align = 'left' | 'center' | 'right' | null;

export type Block =
  | { type: 'paragraph'; children: Inline[] }
  | { type: 'list'; ordered: boolean; start: number; items: Block[][] }
  | { type: 'quote'; children: Block[] }
  | { type: 'table'; align: Align[]; head: Inline[][]; rows: Inline[][][] }
  | { type: 'rule' }
  | { type: 'code'; text: string };

/** How deep emphasis, lists and quotes may nest; beyond this, text stays as it is. */
const MAX_DEPTH = 4;
/** What is right of it is not shown; agents write far fewer. */
const MAX_COLUMNS = 20;

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
/** Something is within the marks, which end with the last of a row: `***both***`. */
const STRONG = /(\*\*|(?<!\w)__)(?=[*_]{0,3}[^\s*_])([^\n]{0,1000}?\S)\1(?!\*|_\b)/y;
const EMPHASIS = /(\*|(?<!\w)_)(?=[^\s*_])([^\n*_]{1,1000}?)(?<=\S)\1(?!\w)/y;
const STRIKE = /(~~)(?=[^\s~])([^\n]{0,1000}?\S)\1/y;
/** An image as well: its text may be missing, and its title is not shown. */
const LINK =
  /!?\[([^[\]\n]{0,300})\]\(([^\s()<>]{1,2000}(?:\([^\s()<>]{0,200}\)[^\s()<>]{0,200})?)(?: +"[^"\n]{0,300}")?\)/y;
const BREAK = /\n/y;
/** The one tag that agents write, since a table has no other line break. */
const BREAK_TAG = /<br ?\/?>/iy;
/** Up to text that follows without a space, as in Japanese. */
const ADDRESS = /(?<!\w)(?:https?:\/\/|mailto:)[^\s<>"'\u3000-\ud7ff\uff00-\uffef]{1,2000}/iy;
const ESCAPE = /\\([!-/:-@[-`{-~])/y;

/** A bare address without the punctuation that ends the sentence around it. */
function trimAddress(address: string): string {
  let trimmed = address.replace(/[.,;:!?*_~،؛؟»“”’]+$/, '');
  if (trimmed.endsWith(')') && !trimmed.includes('(')) trimmed = trimmed.slice(0, -1);
  return trimmed;
}

/** `isLabel`: it becomes a link as a whole, and has none inside. */
export function parseInline(text: string, depth = 0, plain = false, isLabel = false): Inline[] {
  const out: Inline[] = [];
  let buffer = '';
  const push = (node: Inline) => {
    if (buffer) out.push(buffer);
    buffer = '';
    out.push(node);
  };
  let index = 0;
  const read = (pattern: RegExp) => {
    pattern.lastIndex = index;
    const found = pattern.exec(text) as [string, string, string] | null;
    if (found) index += found[0].length;
    return found;
  };
  const readMark = (pattern: RegExp) => (plain ? null : read(pattern));
  while (index < text.length) {
    let found: [string, string, string] | null;
    if (read(BREAK) ?? readMark(BREAK_TAG)) {
      push({ type: 'break' });
    } else if ((found = readMark(ESCAPE))) {
      buffer += found[1];
    } else if ((found = readMark(CODE))) {
      push({ type: 'code', text: found[1] });
    } else if (
      depth < MAX_DEPTH &&
      (found = readMark(STRONG) ?? readMark(EMPHASIS) ?? readMark(STRIKE))
    ) {
      const [, mark, inner] = found;
      const type = mark === '~~' ? 'del' : mark[1] ? 'strong' : 'em';
      push({ type, children: parseInline(inner, depth + 1, plain, isLabel) });
    } else if ((found = readMark(LINK))) {
      const [all, label, address] = found;
      const href = safeHref(address);
      const children = label ? parseInline(label, depth + 1, plain, true) : [address];
      if (href) push({ type: 'link', href, children });
      else buffer += all;
    } else if (!isLabel && (found = read(ADDRESS))) {
      const [all] = found;
      const shown = trimAddress(all);
      const href = safeHref(shown);
      index += shown.length - all.length;
      if (href) push({ type: 'link', href, children: [shown] });
      else buffer += shown;
    } else {
      buffer += text[index];
      index += 1;
    }
  }
  if (buffer) out.push(buffer);
  return out;
}

/**
 * Tried at each line, and in linear time as well: no two neighbors may both take a long run of the
 * same character, and `s` lets a dot take the separators that do not end a line here.
 */
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
/** Without the marks that may end it as well; see `headingOf`. */
const HEADING = /^ {0,3}#{1,6}\s+(.*)$/s;
const RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
/** Its indentation, its number, and what follows. */
const ITEM = /^(\s*)(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/s;
const DELIMITER = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*(?:\|[ \t]*)?$/;

export function parseMarkdown(text: string): Block[] {
  return parseBlocks(text.replace(/\r\n?/g, '\n').split('\n'), 0);
}

function parseBlocks(lines: string[], depth: number): Block[] {
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length)
      blocks.push({ type: 'paragraph', children: parseInline(paragraph.join('\n')) });
    paragraph = [];
  };
  const push = (block: Block) => {
    flush();
    blocks.push(block);
  };
  let index = 0;
  /** Takes the lines from here for which `belongs` is true. */
  const take = (belongs: (line: string) => boolean): string[] => {
    const start = index;
    while (index < lines.length && belongs(lines[index] as string)) index += 1;
    return lines.slice(start, index);
  };

  while (index < lines.length) {
    const line = lines[index] as string;
    const fence = FENCE.exec(line)?.[1];
    const heading = headingOf(line);
    const isNested = depth < MAX_DEPTH;
    let item: RegExpExecArray | null;
    if (fence) {
      index += 1;
      const code = take((next) => !next.trimStart().startsWith(fence));
      // A fence that is still open is code that is still being written.
      index += 1;
      push({ type: 'code', text: code.join('\n') });
    } else if (heading !== undefined) {
      index += 1;
      const children = parseInline(heading, 1);
      push({ type: 'paragraph', children: [{ type: 'strong', children }] });
    } else if (RULE.test(line)) {
      index += 1;
      push({ type: 'rule' });
    } else if (isNested && QUOTE.test(line)) {
      const quoted = take((next) => QUOTE.test(next)).map((next) => QUOTE.exec(next)?.[1] ?? '');
      push({ type: 'quote', children: parseBlocks(quoted, depth + 1) });
    } else if (isNested && (item = ITEM.exec(line))) {
      const [, indent, number, first] = item as unknown as [string, string, string?, string?];
      index += 1;
      // What is indented further belongs to the item, also after an empty line.
      const rest = take((next) => isDeeper(next, indent.length) || isGap(lines, index, indent));
      flush();
      const children = parseBlocks([first ?? '', ...dedent(rest)], depth + 1);
      const ordered = number !== undefined;
      const last = blocks.at(-1);
      if (last?.type === 'list' && last.ordered === ordered) last.items.push(children);
      else blocks.push({ type: 'list', ordered, start: Number(number ?? 1), items: [children] });
    } else if (isTableHead(line, lines[index + 1])) {
      const align = splitRow(lines[index + 1] as string).map(alignOf);
      index += 2;
      const cells = (row: string) => {
        const texts = splitRow(row);
        return align.map((_, column) => parseInline(texts[column] ?? '', 1));
      };
      const rows = take((next) => next.includes('|')).map(cells);
      push({ type: 'table', align, head: cells(line), rows });
    } else {
      if (line.trim()) paragraph.push(line);
      else flush();
      index += 1;
    }
  }
  flush();
  return blocks;
}

/** One pattern for all of this would try each run of spaces again from each of its characters. */
function headingOf(line: string): string | undefined {
  return HEADING.exec(line)?.[1]
    ?.trimEnd()
    .replace(/(?<!#)#+$/, '')
    .trimEnd();
}

const indentOf = (line: string) => line.length - line.trimStart().length;

/** Agents indent by two, three or four. */
function isDeeper(line: string, indent: number): boolean {
  return line.trim() !== '' && indentOf(line) > indent + 1;
}

/** An empty line inside of an item. */
function isGap(lines: string[], index: number, { length }: string): boolean {
  return !lines[index]?.trim() && isDeeper(lines[index + 1] ?? '', length);
}

/** Without the indentation of the first line. */
function dedent(lines: string[]): string[] {
  const indent = indentOf(lines.find((line) => line.trim()) ?? '');
  return lines.map((line) => line.slice(Math.min(indent, indentOf(line))));
}

/** The cells of a table's row; `\|` is a character of a cell. */
function splitRow(line: string): string[] {
  return line
    .trim()
    .replace(/^\||(?<!\\)\|$/g, '')
    .split(/(?<!\\)\|/, MAX_COLUMNS)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** Splits nothing unless the next line looks right: most lines are not of a table. */
function isTableHead(line: string, next = ''): boolean {
  if (!DELIMITER.test(next)) return false;
  const columns = splitRow(line).length;
  return columns > 1 && splitRow(next).length === columns;
}

function alignOf(cell: string): Align {
  if (!cell.endsWith(':')) return cell.startsWith(':') ? 'left' : null;
  return cell.startsWith(':') ? 'center' : 'right';
}

/**
 * What is seen of a message, as plain text: to be spoken and previewed. It is copied and saved as
 * it was written, with the addresses of its links.
 */
export function plainTextOf(blocks: Block[]): string {
  return blocks.map(textOfBlock).filter(Boolean).join('\n\n');
}

function textOfBlock(block: Block): string {
  switch (block.type) {
    case 'paragraph':
      return textOf(block.children);
    case 'code':
      return block.text;
    case 'quote':
      return plainTextOf(block.children);
    case 'table':
      return [block.head, ...block.rows].map((row) => row.map(textOf).join(', ')).join('\n');
    case 'list':
      return block.items
        .map((item, index) => {
          const mark = block.ordered ? `${block.start + index}.` : '•';
          return `${mark} ${item.map(textOfBlock).join('\n').replaceAll('\n', '\n  ')}`;
        })
        .join('\n');
    default:
      return '';
  }
}

function textOf(nodes: Inline[]): string {
  return nodes
    .map((node) => {
      if (typeof node === 'string') return node;
      if (node.type === 'break') return '\n';
      return node.type === 'code' ? node.text : textOf(node.children);
    })
    .join('');
}
