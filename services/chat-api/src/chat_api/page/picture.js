// A picture that was made for an answer.

import { hasKey } from './access.js';
import { pictureAt } from './api.js';
import { element } from './dom.js';
import { words } from './words.js';

export function pictureFigure({ url, alt }) {
  const figure = element('figure', 'picture');
  const anchor = element('a');
  anchor.href = url;
  anchor.target = '_blank';
  anchor.rel = 'noopener noreferrer';
  const image = element('img');
  image.alt = alt;
  image.decoding = 'async';
  showAt(image, url, {
    found: (address) => { anchor.href = address; },
    gone: () => {
      const gone = element('p', 'gone', words.picture.gone);
      figure.replaceChildren(gone, ...(alt ? [element('figcaption', '', alt)] : []));
    },
  });
  anchor.append(image);
  figure.append(anchor, ...(alt ? [element('figcaption', '', alt)] : []));
  return figure;
}

// The ticket in a picture's address ends; with a key it can be fetched all the same.
export function showAt(image, url, { found = () => {}, gone = () => {} } = {}) {
  image.addEventListener('error', async () => {
    const picture = hasKey() ? await pictureAt(url) : null;
    image.addEventListener('error', gone, { once: true });
    if (picture) found(image.src = URL.createObjectURL(picture));
    else gone();
  }, { once: true });
  image.src = url;
}
