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
