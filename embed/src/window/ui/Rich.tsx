/** Draws messages. Text stays text: nothing that anybody wrote is parsed as HTML. */
import { useMemo } from 'preact/hooks';
import { type Inline, parseInline, parseMarkdown } from '../markdown';

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
          case 'strong':
            return (
              <strong>
                <Words nodes={node.children} />
              </strong>
            );
          case 'em':
            return (
              <em>
                <Words nodes={node.children} />
              </em>
            );
          case 'link':
            return (
              <a href={node.href} target="_blank" rel="noopener noreferrer nofollow">
                <Words nodes={node.children} />
              </a>
            );
        }
      })}
    </>
  );
}

/** What the agent wrote: a small subset of Markdown. */
export function Rich({ text }: { text: string }) {
  const blocks = useMemo(() => parseMarkdown(text), [text]);
  return (
    <>
      {blocks.map((block) => {
        if (block.type === 'code')
          return (
            <pre>
              <code>{block.text}</code>
            </pre>
          );
        if (block.type === 'paragraph')
          return (
            <p>
              <Words nodes={block.children} />
            </p>
          );
        const items = block.items.map((item) => (
          <li>
            <Words nodes={item} />
          </li>
        ));
        return block.ordered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
      })}
    </>
  );
}

/** What the visitor wrote: as typed, with links for addresses. */
export function Plain({ text }: { text: string }) {
  return (
    <p>
      <Words nodes={parseInline(text, 0, true)} />
    </p>
  );
}
