/** The window waits for an agent a quarter as long as it does; all other timers are as they are. */
import { ANSWER_TIMEOUT, ARRIVAL_TIMEOUT } from '../src/window/conversation/agent-watch';

/** A script for every frame. */
export const HURRY = `{
  const { setTimeout } = window;
  const hurried = [${ANSWER_TIMEOUT}, ${ARRIVAL_TIMEOUT}, ${ARRIVAL_TIMEOUT - ANSWER_TIMEOUT}];
  window.setTimeout = (callback, delay, ...values) =>
    setTimeout(callback, hurried.includes(delay) ? delay / 4 : delay, ...values);
}`;
