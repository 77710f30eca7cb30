/** The sphere of a call, which moves with whoever speaks. */

/** How far it moves toward a new loudness in one frame; lower is calmer. */
const EASING = 0.25;

/** Until the function that it returns is called. `level`: the loudness, from 0 to 1. */
export function moveOrb(orb: HTMLElement, level: () => number): () => void {
  let frame = 0;
  let shown = 0;
  const draw = () => {
    shown += (level() - shown) * EASING;
    orb.style.setProperty('--level', shown.toFixed(3));
    frame = requestAnimationFrame(draw);
  };
  draw();
  return () => cancelAnimationFrame(frame);
}
