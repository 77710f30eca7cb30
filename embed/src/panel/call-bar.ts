/**
 * The call while the window is closed: what is happening, and the buttons to mute and to hang up.
 * Nobody may be listened to without a sign.
 */
import type { CallInfo, FromLoader } from '../shared/messages';

type CallAction = Extract<FromLoader, { type: 'web-widget:call-action' }>['action'];

/** Lines on a grid of 24 units. */
const MICROPHONE =
  'M12 3.5a2.8 2.8 0 0 1 2.8 2.8v5a2.8 2.8 0 0 1-5.6 0v-5A2.8 2.8 0 0 1 12 3.5zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5v3';
const CROSSED = `${MICROPHONE}M4 4l16 16`;
const RECEIVER =
  'M3.5 14.8c0-1.7 3.5-4.3 8.5-4.3s8.5 2.6 8.5 4.3v1.4c0 .8-.7 1.4-1.5 1.2l-3-.6c-.6-.1-1-.6-1-1.2v-1.4a11 11 0 0 0-6 0v1.4c0 .6-.4 1.1-1 1.2l-3 .6c-.8.2-1.5-.4-1.5-1.2z';

export interface CallBar {
  node: HTMLElement;
  /** Shows the call as it is; null when there is none. */
  update(call: CallInfo | null): void;
}

export function createCallBar(open: () => void, act: (action: CallAction) => void): CallBar {
  const node = Object.assign(document.createElement('footer'), { role: 'group' });
  const status = button(open);
  const mute = button(() => act(isMuted ? 'unmute' : 'mute'));
  const end = button(() => act('end'));
  let isMuted = false;

  end.className = 'e';
  return {
    node,
    update(call) {
      node.replaceChildren();
      if (!call) return;
      isMuted = call.isMuted;
      status.textContent = call.status;
      mute.ariaLabel = call.mute;
      mute.ariaPressed = `${isMuted}`;
      mute.replaceChildren(icon(isMuted ? CROSSED : MICROPHONE));
      end.ariaLabel = call.end_call;
      end.replaceChildren(icon(RECEIVER));
      node.append(status, mute, end);
    },
  };
}

/** `tap` is called by the launcher's box, whose handlers return when a page removes them. */
function button(tap: () => void): HTMLElement {
  return Object.assign(document.createElement('button'), { tap });
}

function icon(path: string): SVGElement {
  const [svg, line] = ['svg', 'path'].map((name) =>
    document.createElementNS('http://www.w3.org/2000/svg', name),
  ) as [SVGElement, SVGElement];
  svg.setAttribute('viewBox', '0 0 24 24');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
