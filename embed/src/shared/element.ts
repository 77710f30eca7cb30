/** Builds the nodes of the launcher and of the panel: no page's policy allows strings of HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties?: object,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}
