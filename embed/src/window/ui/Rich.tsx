/** Draws messages. Text stays text: nothing that anybody wrote is parsed as HTML. */
import type { ComponentChild } from 'preact';
import { useMemo } from 'preact/hooks';
import { type Align, type Block, type Inline, parseInline, parseMarkdown } from '../markdown';
import { CopyButton } from './CopyButton';
import { useSurface } from './context';

function Words({ nodes }: { nodes: Inline[] }) {
  return (
    <>
      {nodes.map((node) => {
        if (typeof node === 'string') return node;
        switch (node.type) {
          case 'break':
            return <br />;
          case 'code':
            return <code>{node.text}</code>;
          case 'link':
            return (
              <a href={node.href} target="_blank" rel="noopener noreferrer nofollow">
                <Words nodes={node.children} />
              </a>
            );
          default: {
            const Tag = node.type;
            return (
              <Tag>
                <Words nodes={node.children} />
              </Tag>
            );
          }
        }
      })}
    </>
  );
}

type Table = Extract<Block, { type: 'table' }>;

function Row({ cells, align, Tag }: { cells: Inline[][]; align: Align[]; Tag: 'th' | 'td' }) {
  return (
    <tr>
      {cells.map((cell, index) => (
        <Tag class={align[index] ?? ''} scope={Tag === 'th' ? 'col' : undefined}>
          <Words nodes={cell} />
        </Tag>
      ))}
    </tr>
  );
}

/** Wider than the bubble, it scrolls, which has to be possible by keyboard. */
function Scroller({ label, children }: { label: string; children: ComponentChild }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}

function DataTable({ table: { head, rows, align } }: { table: Table }) {
  const { strings } = useSurface();
  return (
    <Scroller label={strings.table}>
      <table>
        <thead>
          <Row cells={head} align={align} Tag="th" />
        </thead>
        <tbody>
          {rows.map((cells) => (
            <Row cells={cells} align={align} Tag="td" />
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

function Code({ text }: { text: string }) {
  const { strings } = useSurface();
  return (
    <div class="code">
      <Scroller label={strings.code}>
        <pre dir="ltr">
          <code>{text}</code>
        </pre>
      </Scroller>
      <CopyButton text={text} />
    </div>
  );
}

function Blocks({ blocks }: { blocks: Block[] }) {
  return (
    <>
      {blocks.map((block) => {
        switch (block.type) {
          case 'paragraph':
            return (
              <p>
                <Words nodes={block.children} />
              </p>
            );
          case 'code':
            return <Code text={block.text} />;
          case 'table':
            return <DataTable table={block} />;
          case 'rule':
            return <hr />;
          case 'quote':
            return (
              <blockquote>
                <Blocks blocks={block.children} />
              </blockquote>
            );
          case 'list': {
            const items = block.items.map((item) => (
              <li>
                <Blocks blocks={item} />
              </li>
            ));
            return block.ordered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
          }
        }
      })}
    </>
  );
}

/** What the agent wrote, in Markdown. */
export function Rich({ text }: { text: string }) {
  // The nodes, not only the blocks: then Preact leaves a message alone while another one grows.
  return useMemo(() => <Blocks blocks={parseMarkdown(text)} />, [text]);
}

/** What the visitor wrote: as typed, with links for addresses. */
export function Plain({ text }: { text: string }) {
  return (
    <p>
      <Words nodes={parseInline(text, 0, true)} />
    </p>
  );
}
