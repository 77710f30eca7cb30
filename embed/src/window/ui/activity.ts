/** What happens in a call, as one word for the visitor. Pure. */
import type { CallState } from '../../shared/messages';
import { agentOf, type State } from '../conversation/window-state';
import type { Strings } from '../i18n';

/** Also the name of its string. */
export type Activity = 'connecting' | 'muted' | 'listening' | 'thinking' | 'speaking';

export function activityOf(state: State): Activity {
  const agent = agentOf(state);
  if (state.phase.name !== 'live' || agent === 'absent' || agent === 'initializing')
    return 'connecting';
  if (agent === 'speaking' || agent === 'thinking') return agent;
  return state.voice.name === 'on' && state.voice.isMuted ? 'muted' : 'listening';
}

/** What the launcher shows of a call while the window is closed. */
export function callInfo(state: State, strings: Strings): CallState {
  const { voice } = state;
  const { mute, end_call, call_paused } = strings;
  if (voice.name === 'on') {
    const { isMuted } = voice;
    // The same problems as in `statusOf`, which nobody sees while the window is closed.
    const name = state.isInterrupted
      ? 'microphone_interrupted'
      : state.isSoundBlocked
        ? 'sound_blocked'
        : activityOf(state);
    return { call: { status: strings[name], isMuted, mute, end_call } };
  }
  return voice.name === 'paused'
    ? { call: null, paused: { status: call_paused, end_call } }
    : { call: null };
}
