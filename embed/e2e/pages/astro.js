/** The client router of Astro on a page, with what its component adds: links become visits. */
import { navigate } from 'astro-package/dist/transitions/router.js';

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a');
  if (!link) return;
  event.preventDefault();
  navigate(link.href, { sourceElement: link });
});
