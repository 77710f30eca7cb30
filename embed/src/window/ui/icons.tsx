/** Line icons on a 24-unit grid. Decoration only: the buttons around them carry the label. */
import { MICROPHONE, RECEIVER } from '../../shared/icon-paths';

const SHAPES = {
  close: 'M6 6l12 12M18 6 6 18',
  send: 'M12 19V5M5.5 11.5 12 5l6.5 6.5',
  microphone: MICROPHONE,
  muted:
    'M9.2 9.2v2.1a2.8 2.8 0 0 0 4.8 2M14.8 10.8V6.3a2.8 2.8 0 0 0-5.4-1M5.5 11a6.5 6.5 0 0 0 10.2 5.3M18.5 11a6.5 6.5 0 0 1-.6 2.7M12 17.5v3M4 4l16 16',
  phone: RECEIVER,
  expand: 'M14 4h6v6M10 20H4v-6M20 4l-7 7M4 20l7-7',
  shrink: 'M20 10h-6V4M4 14h6v6M14 10l7-7M10 14l-7 7',
  check: 'M5 12.5l5 5L19.5 7',
  down: 'M6 9l6 6 6-6',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  arrow: 'M5 12h14M13 6l6 6-6 6',
  chat: 'M20.5 12a8 8 0 0 1-11.8 7l-4.7 1 1-4.7A8 8 0 1 1 20.5 12z',
} as const;

export type IconName = keyof typeof SHAPES;

export function Icon({ name }: { name: IconName }) {
  return <Drawing name={name} path={SHAPES[name]} />;
}

/** An icon whose shape comes with a part of the window that few visitors load. */
export function Drawing({ name, path }: { name: string; path: string }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
