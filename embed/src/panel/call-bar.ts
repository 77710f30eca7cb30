/**
 * The call while the window is closed: what is happening, and the buttons to mute and to hang up.
 * Nobody may be listened to without a sign.
 */
import { element } from '../shared/element';
import { MICROPHONE, RECEIVER } from '../shared/icon-paths';
import type { CallState, FromLoader, PausedCallInfo } from '../shared/messages';

type CallAction = Extract<FromLoader, { type: 'web-widget:call-action' }>['action'];

const CROSSED = `${MICROPHONE}M4 4l16 16`;

export interface CallBar {
  node: HTMLElement;
  /** Shows the call as it is: running, waiting for the visitor to continue it, or none. */
  update(state: CallState): void;
}

/** `returnFocus` is called before what has the focus goes away with the call. */
export function createCallBar(
  open: () => void,
  act: (action: CallAction) => void,
  returnFocus: () => void,
): CallBar {
  const node = element('footer', { role: 'group' });
  // Called by the launcher's box, whose handlers return when a page removes them.
  const status = element('button', { tap: open, dir: 'auto' });
  const mute = element('button', { tap: () => act(isMuted ? 'unmute' : 'mute') });
  const end = element('button', { tap: () => act('end'), className: 'e' });
  let isMuted = false;

  const line = icon(mute);
  icon(end).setAttribute('d', RECEIVER);
  return {
    node,
    update(state) {
      const { call } = state;
      const shown = call ?? (state as { paused?: PausedCallInfo }).paused;
      if (!shown) {
        if (node.matches(':focus-within')) returnFocus();
        return node.replaceChildren();
      }
      status.textContent = shown.status;
      end.ariaLabel = shown.end_call;
      // What is put in its place again loses the focus.
      if (!node.firstChild) node.append(status, end);
      if (call) {
        isMuted = call.isMuted;
        mute.ariaLabel = call.mute;
        mute.ariaPressed = `${isMuted}`;
        line.setAttribute('d', isMuted ? CROSSED : MICROPHONE);
        if (!mute.parentNode) node.insertBefore(mute, end);
      } else {
        if (mute.matches(':focus')) status.focus();
        mute.remove();
      }
    },
  };
}

/** Draws an icon in the button, and returns its line, which gets the path. */
function icon(button: HTMLElement): SVGElement {
  const [svg, line] = ['svg', 'path'].map((name) =>
    document.createElementNS('http://www.w3.org/2000/svg', name),
  ) as [SVGElement, SVGElement];
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.append(line);
  button.append(svg);
  return line;
}
