/**
 * The call while the window is closed: what is happening, and the buttons to mute and to hang up.
 * Nobody may be listened to without a sign.
 */
import { MICROPHONE, RECEIVER } from '../shared/icon-paths';
import type { CallInfo, FromLoader } from '../shared/messages';

type CallAction = Extract<FromLoader, { type: 'web-widget:call-action' }>['action'];

const CROSSED = `${MICROPHONE}M4 4l16 16`;

export interface CallBar {
  node: HTMLElement;
  /** Shows the call as it is; null when there is none. */
  update(call: CallInfo | null): void;
}

/** `launcher` gets the focus of what goes away with the call. */
export function createCallBar(
  open: () => void,
  act: (action: CallAction) => void,
  launcher: HTMLElement,
): CallBar {
  const node = Object.assign(document.createElement('footer'), { role: 'group' });
  const status = button(open);
  const mute = button(() => act(isMuted ? 'unmute' : 'mute'));
  const end = button(() => act('end'));
  let isMuted = false;

  const line = icon(mute);
  icon(end).setAttribute('d', RECEIVER);

  end.className = 'e';
  return {
    node,
    update(call) {
      if (!call) {
        if (node.matches(':focus-within')) launcher.focus();
        return node.replaceChildren();
      }
      isMuted = call.isMuted;
      status.textContent = call.status;
      mute.ariaLabel = call.mute;
      mute.ariaPressed = `${isMuted}`;
      line.setAttribute('d', isMuted ? CROSSED : MICROPHONE);
      end.ariaLabel = call.end_call;
      // What is put in its place again loses the focus.
      if (!node.firstChild) node.append(status, mute, end);
    },
  };
}

/** `tap` is called by the launcher's box, whose handlers return when a page removes them. */
function button(tap: () => void): HTMLElement {
  return Object.assign(document.createElement('button'), { tap });
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
