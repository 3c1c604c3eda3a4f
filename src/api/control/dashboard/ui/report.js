// Place of the report on the client.

import { link } from './router.js';
import { html } from './vendor/preact.js';

/** Says what the report will be, and where to look meanwhile. */
export const Report = () => html`<div class="page narrow"><section class="empty"><h2>Report on the client</h2>
  <p>The report on what a client does wrong comes with a later version. Meanwhile
    ${' '}<a href=${link(['traffic'], { q: 'status:4xx' })}>the refused requests</a> say most of it.</p></section></div>`;
