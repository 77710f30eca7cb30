/** Whether the visitor uses fingers: phones and tablets. */
export const isTouch = (): boolean => matchMedia('(pointer: coarse)').matches;
