/**
 * The oldest browsers that the embed is built for and tested against: those of the last two and a
 * half years, and iOS from 16.4 on, whose users cannot choose another one.
 */
export const OLDEST = {
  chrome: '125',
  edge: '125',
  firefox: '126',
  safari: '17.5',
  ios: '16.4',
} as const;

export const TARGETS = Object.entries(OLDEST).map(([name, version]) => `${name}${version}`);
