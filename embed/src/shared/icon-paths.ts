/** Lines of icons that both the launcher and the window draw, on a grid of 24 units. */

export const MICROPHONE =
  'M12 3.5a2.8 2.8 0 0 1 2.8 2.8v5a2.8 2.8 0 0 1-5.6 0v-5A2.8 2.8 0 0 1 12 3.5zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5v3';

export const RECEIVER =
  'M3.5 14.8c0-1.7 3.5-4.3 8.5-4.3s8.5 2.6 8.5 4.3v1.4c0 .8-.7 1.4-1.5 1.2l-3-.6c-.6-.1-1-.6-1-1.2v-1.4a11 11 0 0 0-6 0v1.4c0 .6-.4 1.1-1 1.2l-3 .6c-.8.2-1.5-.4-1.5-1.2z';
