/** How a copy went; also the name of the string that says so. */
export type CopyState = 'copy' | 'copied' | 'failed';

/** Copies a text, and says how it went. */
export async function copy(text: string, onDone: (state: CopyState) => void) {
  try {
    await (await import('../extras')).copyText(text);
    onDone('copied');
  } catch {
    // The button is still there to try again.
    onDone('failed');
  }
}
