/** Something is on its way: an answer, in a bubble, or a part of the window. */
export function Dots({ label, isBubble }: { label: string; isBubble?: boolean }) {
  return (
    <div class={isBubble ? 'bubble dots' : 'dots'} role="img" aria-label={label}>
      <i />
      <i />
      <i />
    </div>
  );
}
